# the activation path sleeps
# file: aem-core/active.c
# kernel: debug
# tests: enter
/^static bool occur/,/^}/{
	/lockdep_assert_held/a\
	might_sleep();
}
