# aem-fd: a mark that could not be attached is not put
# file: aem-fd/mark.c
# kernel: debug
# tests: fail_fd
/Not attached, it is freed at once/{
	n
	d
}
