# aem-fd: files whose answer a program gives are taken as sources
# file: aem-fd/poll.c
# kernel: debug
# tests: fd_poll
s/return !asks_a_program(file) && !is_epoll(file);/return true;/
