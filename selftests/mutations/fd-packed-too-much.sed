# aem-fd: a packed record takes the note that does not fit any more
# file: aem-fd/queue.c
# kernel: debug
# tests: fd_packed
/if (note_at(queue, at)->length > end - at)/{
	N
	d
}
