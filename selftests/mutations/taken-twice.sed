# a registration that was saved can be taken up more than once
# file: libaem/saved.c
# kernel: 6.1
# tests: saved
s/return unlink(path) ? -errno : 0;/return 0;/
