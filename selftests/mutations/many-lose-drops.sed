# aem-ip: a record of many datagrams does not tell what the socket dropped
# file: aem-ip/datagram.c
# kernel: 6.1
# tests: ip_many
/^static int datagrams_construct/,/^}/{
	/d->lost += new_drops(p);/d
}
