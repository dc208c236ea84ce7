# what a thread leaves behind as it leaves AEM_IOC_ENTER wakes nobody
# file: aem-core/enter.c
# kernel: 6.1
# tests: fair
/^	aem_waiter_pass_on(proc);/d
