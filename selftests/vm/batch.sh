#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Several commands in one guest: each with its own modules, output and status, and none is left
# over for the next.
. selftests/lib/vm.sh
plan 13

# batch JSON: runs it; leaves $tmp/result.
batch()
{
	rm -f "$tmp/result"
	printf '%s\n' "$1" >"$tmp/batch"
	vm --load none --batch "$tmp/batch" --result "$tmp/result"
}

# of NUMBER KEY: what came of that step.
of() { python3 -c 'import json, sys; r = json.load(open(sys.argv[1])); print(r[int(sys.argv[2])][sys.argv[3]])' "$tmp/result" "$@"; }

began() { python3 -c 'import json, sys; print(len(json.load(open(sys.argv[1]))))' "$tmp/result"; }

loaded='grep -c ^aem_core /proc/modules'
batch "[{\"command\": [\"sh\", \"-c\", \"sleep 1000 & echo one; echo bad >&2; $loaded; exit 3\"],
	 \"load\": \"core\", \"unload\": true},
	{\"command\": [\"sh\", \"-c\", \"$loaded; pgrep -x sleep | wc -l; id -un\"], \"user\": \"alice\"},
	{\"command\": [\"sh\", \"-c\", \"$crash mode=oops\"]},
	{\"command\": [\"true\"]}]"
check 'the worst status is that of the batch' test "$status" = 243
check 'status of the first' test "$(of 0 status)" = 3
check 'its output' test "$(of 0 out | xargs)" = 'one 1'
check 'its errors' test "$(of 0 err | xargs)" = bad
check 'no module and no process is left of it' test "$(of 1 out | xargs)" = '0 0 alice'
check 'what ends the guest counts against its step' test "$(of 2 status)" = 243
check 'with the log of that step alone' test "$(of 2 log | grep -c 'NULL pointer')$(of 1 log | grep -c 'NULL pointer')" = 10
check 'what comes after it did not begin' test "$(began)" = 3

SECONDS=0
batch "[{\"command\": [\"sh\", \"-c\", \"echo \$WORD; $crash mode=log\"],
	 \"environment\": {\"WORD\": \"it's told\"}, \"load\": \"core\", \"unload\": true},
	{\"command\": [\"sleep\", \"60\"]}]"
check 'what the environment says' test "$(of 0 out | xargs -0)" = "it's told"
check 'a complaint that stops nothing is of its step' test "$(of 0 status)" = 244
check 'and ends the guest' test "$(began) $((SECONDS < 60))" = '1 1'

batch '[{"command": ["sleep", "300"], "timeout": 2}, {"command": ["true"]}]'
check 'each has its own time' test "$(of 0 status) $(began)" = '242 1'
batch '[{"command": ["true"], "colour": "red"}]'
check 'an unknown key' said 240 'colour is unknown'
finish
