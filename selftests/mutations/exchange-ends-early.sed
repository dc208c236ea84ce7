# aem-core: a destructor that wants another turn ends the event
# file: aem-core/ring.c
# kernel: 6.1
# tests: ip_exchange
s/|| ret == AEM_END)/|| ret >= AEM_MORE)/
