# aem-ip: room to send is nothing to an answer that waits for it
# file: aem-ip/exchange.c
# kernel: 6.1
# tests: ip_exchange
s/if (aem_ip_key_is(key, WRITABLE) && has_rest/if (!key \&\& has_rest/
