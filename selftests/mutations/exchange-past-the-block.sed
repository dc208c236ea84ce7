# aem-ip: an answer may end behind its block, by as much as its head is long
# file: aem-ip/exchange.c
# kernel: 6.1
# tests: ip_exchange
s/room = block->size - sizeof(\*left);/room = block->size;/
