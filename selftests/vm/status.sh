#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The command's status and output come through as they are.
. selftests/lib/vm.sh
plan 11

is() { [ "$status" = "$1" ] || { echo "# status $status"; sed 's/^/# /' "$tmp/err"; return 1; }; }
# A slow boot may be told of.
silent() { ! grep -v 'still booting' "$tmp/err"; }

vm --icount --load none -- nproc
check 'status 0' is 0
check 'and nothing else to say' silent
check 'one processor under icount' printed 1
vm --load none -- sh -c 'exit 7'
check 'status 7' is 7
vm --load none -- sh -c 'kill -9 $$'
check 'killed by a signal: 128 and its number' is 137
vm --load none -- no-such-command
check 'a command that does not exist: 127' is 127

# shellcheck disable=SC2016 # for the guest's shell
vm --load none --user alice -- sh -c 'echo "<1>kernel line" >/dev/kmsg 2>/dev/null
	printf "%s|" "$@"; echo; cat; id -un; id -gn | cat; groups | tr " " "\n" | grep aem; echo bad >&2' \
	sh 'two words' '$x "quoted"' "it's"
check 'arguments, user and group; standard input is empty' \
	printed "two words|\$x \"quoted\"|it's|
alice
alice
aem"
check 'standard error apart' grep -qx bad "$tmp/err"

# shellcheck disable=SC2016 # for the guest's shell
vm --smp 3 --mem 700 --load none -- sh -c 'i=0; while [ $i -lt 20000 ]; do echo "line $i"; i=$((i + 1))
	[ $((i % 1000)) != 0 ] || echo "between" >/dev/kmsg; done
	nproc; [ $(grep MemTotal /proc/meminfo | tr -dc 0-9) -gt 600000 ] && echo much'
{ seq -f 'line %.0f' 0 19999; echo 3; echo much; } >"$tmp/expected"
check 'much output arrives whole, without lines of the kernel' \
	cmp -n "$(head -n 20000 "$tmp/expected" | wc -c)" "$tmp/expected" "$tmp/out"
check 'processors and memory' cmp "$tmp/expected" "$tmp/out"

vm --load none -- sh -c 'reboot -f; sleep 60'
check 'a guest that ends by itself has no verdict' said 246 'without a verdict'
finish
