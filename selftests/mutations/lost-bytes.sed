# the last byte of a long piece of a stream is not handed over
# file: aem-ip/data.c
# kernel: 6.1
# tests: soak
s/d->word\[4\] = bytes;/d->word[4] = bytes - (bytes > 1900);/
