# a pause that ends while the level is raised is not looked after
# file: aem-core/doorbell.c
# kernel: 6.1
# tests: nesting
/^static enum hrtimer_restart resume/,/^}/s/if (held_back)/if (false)/
