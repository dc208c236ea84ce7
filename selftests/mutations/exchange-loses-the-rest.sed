# aem-ip: what the socket has no room for is not sent, nor told of
# file: aem-ip/exchange.c
# kernel: 6.1
# tests: ip_exchange
s/return keep(p, data + n, bytes - n, flags);/return finish(p, flags);/
