# aem-ip: a message may have more bytes than it is long
# file: aem-ip/many.c
# kernel: 6.1
# tests: ip_many
/if (m->bytes > m->length - sizeof/{
	N
	d
}
