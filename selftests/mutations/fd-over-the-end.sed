# aem-fd: notes that go on at the start of the ring are never come to
# file: aem-fd/queue.c
# kernel: 6.1
# tests: fd,fd_packed
/if (wrapped && queue->head == queue->end)/{
	N
	d
}
