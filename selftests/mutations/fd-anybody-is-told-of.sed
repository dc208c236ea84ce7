# aem-fd: who did it is told of everybody
# file: aem-fd/watch.c
# kernel: 6.1
# tests: fd_rights
/^static bool is_known/,/^}/s/return task_tgid(current) == w->owner || aem_cred_may_signal(w->cred, current_cred());/return true;/
