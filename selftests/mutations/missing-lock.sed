# a lock is missing: unregistration does not hold enter_lock
# file: aem-core/event.c
# kernel: debug
# tests: unregister
/^static int control_shutdown/,/^}/{
	/mutex_lock/d
	/mutex_unlock/d
}
