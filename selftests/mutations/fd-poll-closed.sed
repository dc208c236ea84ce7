# aem-fd: a source tells of a number that is another file's by now
# file: aem-fd/poll.c
# kernel: 6.1
# tests: fd_poll
s/if (is_open(source) \&\& aem_job_waits(ev))/if (aem_job_waits(ev))/
