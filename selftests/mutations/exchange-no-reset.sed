# aem-ip: a connection that lacks a part of an answer ends as if it did not
# file: aem-ip/exchange.c
# kernel: 6.1
# tests: ip_exchange
/sock_no_linger/d
