# who ran near is not preferred
# file: aem-core/waiter.c
# kernel: 6.1
# tests: fair
s/if (last == cpu)/if (last != cpu)/
