# an event whose service is revoked gets no last record
# file: aem-core/revoke.c
# kernel: 6.1
# tests: swap
/^	aem_active_revoke(ev);/d
