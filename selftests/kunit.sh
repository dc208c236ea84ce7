#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The suites within the modules, which ran when these were loaded. Only the debug kernel has KUnit.
# vm: append=kunit.enable=1 timeout=300
log=/tmp/kunit

# The results of the single tests, numbered anew, with the names of their suites.
results()
{
	awk '
	/^ +# Subtest: / { suite = $NF }
	/^ +(not )?ok [0-9]+ / {
		verdict = $1 == "ok" ? "ok" : "not ok"
		bad += $1 != "ok"
		sub(/^ +(not )?ok [0-9]+ /, "")
		printf "%s %d %s: %s\n", verdict, ++n, suite, $0
	}
	END { printf "1..%d\n", n; exit bad > 0 }'
}

echo 'KTAP version 1'
if [ ! -d /sys/kernel/debug/kunit ]; then
	echo '1..1'
	echo 'ok 1 suites # SKIP optional: this kernel has no KUnit'
	exit
fi
dmesg | sed 's/^\[[^]]*\] //' >$log
grep -E '^ +# ' $log | grep -vE '# (Subtest|speed)' | sed 's/^ */# /'
results <$log
