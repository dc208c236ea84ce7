# the hint asks nobody for the right to the real-time class
# file: aem-core/realtime.c
# kernel: 6.1
# tests: hint_realtime
s/^\([[:space:]]*return \)aem_hint_is_capable(proc) ||/\1true ||/
