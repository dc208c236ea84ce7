# aem-ip: a record takes the datagram that does not fit into its block any more
# file: aem-ip/datagram.c
# kernel: debug
# tests: ip_many
s/ && pack->room >= size_of_message(pack->p->length));/);/
