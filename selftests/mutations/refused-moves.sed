# an event that the new version refuses goes to it all the same
# file: aem-core/swap.c
# kernel: 6.1
# tests: swap
s/aem_hold_let_go(ev, swap->from)/aem_hold_let_go(ev, swap->to)/
