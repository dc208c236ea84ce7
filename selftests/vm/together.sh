#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Guests beside each other do not disturb each other, and leave nothing behind.
. selftests/lib/vm.sh
plan 6
mkdir "$tmp/dir"
export TMPDIR=$tmp/dir

"$AEM_VM" --load none -- sh -c 'sleep 1; echo one; exit 1' >"$tmp/one" 2>/dev/null &
one=$!
"$AEM_VM" --load none -- sh -c 'echo two; exit 2' >"$tmp/two" 2>/dev/null
check 'the second of two' test $? = 2
wait $one
check 'the first of two' test $? = 1
check 'each its own output' test "$(cat "$tmp/one" "$tmp/two" | xargs)" = 'one two'
check 'no files are left' test -z "$(ls -A "$TMPDIR")"

# The emulator's arguments name the directory of its run.
emulators() { grep -lzs "$TMPDIR/[a]em-vm" /proc/[0-9]*/cmdline | wc -l; }
booted() { for _ in $(seq 100); do [ "$(emulators)" -gt 0 ] && return; sleep 0.1; done; }
gone() { for _ in $(seq 50); do [ "$(emulators)" = 0 ] && return; sleep 0.1; done; return 1; }

"$AEM_VM" --load none -- sleep 300 >/dev/null 2>&1 &
booted
kill -TERM $!
wait $!
gone && test -z "$(ls -A "$TMPDIR")"
check 'ended by a signal: no emulator, no files' test $? = 0
"$AEM_VM" --load none -- sleep 300 >/dev/null 2>&1 &
booted
kill -KILL $!
check 'killed: no emulator' gone
finish
