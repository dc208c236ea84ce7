# aem-ip: requests are heard while a part of an answer is left
# file: aem-ip/exchange.c
# kernel: 6.1
# tests: ip_exchange
s/err = push_rest(p, d);/push_rest(p, d);/
