# aem-ip: what comes from another layout is taken as it is
# file: aem-ip/adopt.c
# kernel: 6.1
# tests: swap_ip_many
s/^	p->length = p->fd;/	(void)length;/
/^	p->fd = length;/d
