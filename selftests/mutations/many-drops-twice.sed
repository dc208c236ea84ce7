# aem-ip: what the socket dropped is told of again
# file: aem-ip/datagram.c
# kernel: 6.1
# tests: ip_many
/^	p->drops = drops;/d
