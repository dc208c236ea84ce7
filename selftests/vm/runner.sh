#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The test runner takes nothing for passed that did not pass.
. selftests/lib/vm.sh
plan 17

mkdir -p "$tmp/tree/selftests/vm"
cp selftests/run "$tmp/tree/selftests/"

# judged RESULT TEXT [STATUS]: a test that prints TEXT makes the runner end with RESULT.
judged()
{
	printf '#!/bin/sh\ncat <<"EOF"\n%b\nEOF\nexit %d\n' "$2" "${3:-0}" >"$tmp/tree/selftests/vm/fake.sh"
	chmod +x "$tmp/tree/selftests/vm/fake.sh"
	"$tmp/tree/selftests/run" --build "$tmp/tree/build" >"$tmp/out" 2>&1
	status=$?
	[ "$(tail -n 1 "$tmp/out")" = "$1" ] || { sed 's/^/# /' "$tmp/out"; return 1; }
	case $1 in *' 0 failed') [ "$status" = 0 ] ;; *) [ "$status" != 0 ] ;; esac
}

check 'all pass' judged '2 passed, 0 failed' 'KTAP version 1\n1..2\nok 1 a\n# said\nok 2 - b'
check 'the plan may come last' judged '1 passed, 0 failed' 'ok 1\n1..1'
check 'one fails' judged '1 passed, 1 failed' '1..2\nok 1\nnot ok 2 b' 1
check 'one fails, status 0' judged '1 passed, 1 failed' '1..2\nok 1\nnot ok 2'
check 'no plan' judged '1 passed, 1 failed' 'ok 1'
check 'fewer than planned' judged '1 passed, 1 failed' '1..2\nok 1'
check 'more than planned' judged '2 passed, 1 failed' '1..1\nok 1\nok 2'
check 'two plans' judged '1 passed, 1 failed' '1..1\nok 1\n1..1'
check 'wrong numbers' judged '2 passed, 1 failed' '1..2\nok 1\nok 3'
check 'a skip' judged '1 passed, 1 failed' '1..2\nok 1\nok 2 b # SKIP no device'
check 'an optional skip' judged '1 passed, 0 failed' '1..2\nok 1\nok 2 b # SKIP optional: no IPv6'
check 'all skipped' judged '0 passed, 1 failed' '1..0 # SKIP'
check 'nothing at all' judged '0 passed, 1 failed' ''
check 'a status of its own' judged '1 passed, 1 failed' '1..1\nok 1' 3
check 'bails out' judged '1 passed, 1 failed' '1..1\nok 1\nBail out!'
check 'a malformed result' judged '1 passed, 1 failed' '1..1\nok 1\nok!'
rm "$tmp/tree/selftests/vm/fake.sh"
"$tmp/tree/selftests/run" --build "$tmp/tree/build" >"$tmp/out" 2>&1
check 'no tests' test "$? $(tail -n 1 "$tmp/out")" = '1 0 passed, 1 failed'
finish
