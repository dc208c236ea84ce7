# a signal may come between the end of the handler of the one before and its return
# file: libaem/doorbell.c
# kernel: 6.1
# tests: interrupt
s/^\([[:space:]]*\.blocking = \)outer .*/\1context == (void *)1,/
