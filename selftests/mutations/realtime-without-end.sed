# the time that the hint has in the real-time class is not counted
# file: aem-core/realtime.c
# kernel: 6.1
# tests: hint_realtime
/rt->left - used/s/.*/	;/
