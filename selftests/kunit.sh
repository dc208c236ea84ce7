#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The suites within the modules, which ran when these were loaded: each suite that the sources have
# must have run. Only the debug kernel has KUnit.
# vm: kernel=debug append=kunit.enable=1 timeout=300 files=aem-core,aem-timer,aem-ip
log=/tmp/kunit

# The results of the single tests, numbered anew, with the names of their suites; and one for each
# suite that is expected.
results() # SUITE...
{
	awk -v expected="$*" '
	function result(good, what) { printf "%s %d %s\n", good ? "ok" : "not ok", ++n, what; bad += !good }
	/^ +# Subtest: / { suite = $NF }
	/^ +(not )?ok [0-9]+ / {
		good = $1 == "ok"
		sub(/^ +(not )?ok [0-9]+ /, "")
		result(good, suite ": " $0)
		seen[suite]++
	}
	/^(not )?ok [0-9]+ / { passed[$NF] = $1 == "ok" }
	END {
		count = split(expected, suites)
		result(count > 0, "there are suites")
		for (i = 1; i <= count; i++)
			result(seen[suites[i]] && passed[suites[i]], "suite " suites[i])
		printf "1..%d\n", n
		exit bad > 0
	}'
}

echo 'KTAP version 1'
dmesg | sed 's/^\[[^]]*\] //' >$log
grep -E '^ +# ' $log | grep -vE '# (Subtest|speed)' | sed 's/^ */# /'
# shellcheck disable=SC2046 # a list of words
results $(cat aem-*/*_test.c | sed -n 's/^\t\.name = "\(aem-[a-z]*\)",$/\1/p') <$log
