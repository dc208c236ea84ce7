# a swap does not wait for calls that run
# file: aem-core/hold.c
# kernel: 6.1
# tests: swap
s/if (all_are_empty(hold, timeout))/if (all_are_empty(hold, timeout) || true)/
