# a silence that a process asked for has no end
# file: aem-core/doorbell.c
# kernel: 6.1
# tests: nesting
/hrtimer_start(&proc->pause/s/.*/		;/
