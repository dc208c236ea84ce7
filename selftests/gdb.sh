#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A debugger sees through an interrupt, and what it does loses none.
# vm: main files=/usr/bin/gdb,/usr/lib/python3.11/encodings mem=768 timeout=400 load=core,timer
. selftests/lib/ktap.sh

plan 6

program=build/selftests/helpers/interrupted
out=/tmp/out
# Its modules are not here but for the codecs.
export PYTHONHOME=/usr

debugger() { timeout 150 gdb -nx -batch -ex 'set pagination off' -ex 'set confirm off' \
		-ex 'handle all nostop noprint pass' "$@" >$out 2>&1; }

# Frames of these functions, in this order, the innermost first.
frames()
{
	awk -v names="$*" 'BEGIN { n = split(names, name, " "); i = 1 }
		/^#[0-9]/ && i <= n && index($0, name[i]) { i++ } END { exit i <= n }' "$out" ||
		{ sed 's/^/# /' "$out"; false; }
}

# The handler runs when the debugger comes: nothing of how it was interrupted is its doing.
look() # DOORBELL
{
	rm -f /tmp/held
	$program "$1" hold /tmp/held &
	pid=$!
	while [ ! -e /tmp/held ]; do sleep 0.1; done
	debugger -p $pid -ex bt
	kill -9 $pid
}

look redirect
check 'backtrace through redirected registers' frames on_timer aem_trampoline compute main
look signal
check 'backtrace through a signal' frames on_timer 'handler' compute main

stopped() { [ "$(grep -c 'Breakpoint 1, ' "$out")" = "$1" ] || { sed 's/^/# /' "$out"; false; }; }
ended() { grep -q 'exited normally' "$out" || { sed 's/^/# /' "$out"; false; }; }

debugger -ex 'break on_timer' -ex run -ex bt -ex continue -ex continue -ex continue -ex continue \
	-ex continue --args $program redirect count
check 'a breakpoint stops in each handler' stopped 5
check 'and shows what was interrupted' frames on_timer compute main
check 'and no event is lost' ended

debugger -ex 'break compute' -ex run -ex 'stepi 3000' -ex 'info program' -ex continue \
	--args $program redirect count
check 'nor by single steps' ended
finish
