# aem-fd: of the notes of a packed record, none says that another follows
# file: aem-fd/queue.c
# kernel: 6.1
# tests: fd_packed
/note->flags |= AEM_FD_F_MORE;/d
