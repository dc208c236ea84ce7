# the version that was left keeps the references of its contexts
# file: aem-core/swap.c
# kernel: 6.1
# tests: swap
/pin(swap->from, swap->pins.from);/d
