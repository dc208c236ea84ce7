# the activation path sleeps
# file: aem-core/active.c
# kernel: 6.1
# tests: enter
s/^#include <linux\/bitops.h>/#include <linux\/delay.h>\n&/
/^static bool occur/,/^}/{
	/lockdep_assert_held/a\
	usleep_range(10, 20);
}
