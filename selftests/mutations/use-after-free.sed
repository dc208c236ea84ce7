# an event is freed at once, while others look at it under RCU
# file: aem-core/event.c
# kernel: debug
# tests: timer_race
s/call_rcu(&ev->rcu, free_event_rcu);/kfree(ev);/
/^static void free_event_rcu/s/static/static __maybe_unused/
