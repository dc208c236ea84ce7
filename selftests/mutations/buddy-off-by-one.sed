# blocks join one order too far
# file: aem-core/buddy.c
# kernel: 6.1
# tests: host/buddy
/^void aem_buddy_free/,/^}/{
	s/order < AEM_BUDDY_ORDERS - 1/order < AEM_BUDDY_ORDERS/
}
