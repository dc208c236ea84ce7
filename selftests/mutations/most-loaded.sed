# EVF_WAKE_LEAST wakes who has used the most
# file: aem-core/waiter.c
# kernel: 6.1
# tests: fair
s/return a->load < b->load;/return a->load > b->load;/
