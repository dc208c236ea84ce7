# aem-fd: notes that find no room are not counted
# file: aem-fd/queue.c
# kernel: 6.1
# tests: fd
/queue->lost += queue->lost < U32_MAX;/d
