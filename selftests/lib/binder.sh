# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# A process that is bound to a service for as long as a test script wants it.
binder=build/selftests/helpers/binder

# hold NAME MIN MAX: a process that is bound
hold()
{
	: >/tmp/held
	$binder hold "$@" >/tmp/held &
	holder=$!
	tries=500
	until [ -s /tmp/held ]; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || return 1
		sleep 0.02
	done
}

let_go()
{
	kill -9 "$holder"
	wait "$holder" 2>/dev/null
	true
}
