# any address space may use a context
# file: aem-core/process.h
# kernel: 6.1
# tests: rights
s/return current->mm == proc->mm ? 0 : -EPERM;/return 0;/
