# aem-fd: notes are put into the queue without the lock of the watch
# file: aem-fd/watch.c
# kernel: 6.1
# tests: swap_fd
/^static void put(/,/^}/{
	/raw_spin_lock(&w->lock);/d
	/raw_spin_unlock(&w->lock);/d
}
