# datagrams that the socket dropped are not told of
# file: aem-ip/datagram.c
# kernel: 6.1
# tests: ip_datagram
/d->lost += new_drops(p);/d
