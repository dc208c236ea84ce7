# aem-fd: notes that were lost are told of again
# file: aem-fd/watch.c
# kernel: 6.1
# tests: fd_packed
/^	w->queue.lost = 0;/d
