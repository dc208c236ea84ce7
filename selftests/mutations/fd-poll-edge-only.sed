# aem-fd: what still holds after the handler is not told again
# file: aem-fd/poll.c
# kernel: 6.1
# tests: fd_poll
s/return look(source, source->how & AEM_FD_POLL_ALL) ? AEM_MORE : 0;/return 0;/
