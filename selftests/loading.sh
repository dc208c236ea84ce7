#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Promise 10, and what insmod and rmmod say: a module in use stays, the order is kept, a failed
# init leaves nothing, and loading and unloading go on while processes come and go.
# vm: load=none mem=768 timeout=900 append=slab_nomerge
# shellcheck shell=dash disable=SC2086,SC2009 # what has no blanks stays one word; no pgrep here
. selftests/lib/ktap.sh
. selftests/lib/said.sh
. selftests/lib/binder.sh

extra=/lib/modules/$(uname -r)/extra
error=/tmp/error

# load MODULE PARAMETER...; unload MODULE. The error is left in $error.
load()
{
	name=$1
	shift
	insmod "$extra/$name.ko" "$@" 2>$error
}
unload() { rmmod "$1" 2>$error; }
loaded() { [ -d "/sys/module/$1" ]; }

# refused WORDS COMMAND...: it fails, and says so
refused()
{
	words=$1
	shift
	if "$@"; then
		echo "# $* succeeded"
		return 1
	fi
	grep -q "$words" $error && return
	sed 's/^/# /' $error
	return 1
}

share() { chgrp aem /dev/aem && chmod 0660 /dev/aem; }
start() { load aem-core && share; }

# What a module that is gone may have left.
nothing_is_left()
{
	loaded aem_core && { echo '# aem_core is loaded'; return 1; }
	[ ! -e /dev/aem ] || { echo '# /dev/aem is there'; return 1; }
	left=$(find /sys/kernel/slab /sys/kernel/tracing/events /sys/kernel/debug -maxdepth 1 \
		-name 'aem*' 2>/dev/null)
	left="$left$(grep -E '^aem|aem_' /proc/misc /proc/slabinfo /proc/modules)"
	left="$left$(ps -o comm | grep -i '^.aem')"
	[ -z "$left" ] || { echo "# left: $left"; return 1; }
}

needs_the_core()
{
	refused 'nknown symbol' load aem-null && ! loaded aem_null
}

loads_and_unloads()
{
	start && load aem-null && is 'null 1 0 0' $binder list &&
		unload aem_null && is '' $binder list && unload aem_core && nothing_is_left
}

loading_twice()
{
	start && load aem-null && refused 'File exists' load aem-core &&
		refused 'File exists' load aem-null && is 'null 1 0 0' $binder list
}

wrong_order()
{
	refused 'busy\|temporarily unavailable' unload aem_core && loaded aem_core && loaded aem_null
}

# Newer kernels keep the one word for a module that is loaded, and make it the other.
there_is_one='File exists\|resource busy'

duplicate_service()
{
	refused "$there_is_one" load aem-null-twin && ! loaded aem_null_twin &&
		is 'null 1 0 0' $binder list
}

in_use()
{
	hold null 0 0 && is 'null 1 1 0' $binder list &&
		refused 'busy\|temporarily unavailable' unload aem_null &&
		is 'null 1 1 0' $binder list && let_go &&
		is 'null 1 0 0' $binder list && unload aem_null
}

# A context without a service holds the core, and so does a mapping of it.
core_in_use()
{
	hold no-such-service 0 0 || true
	exec 7<>/dev/aem
	refused 'busy\|temporarily unavailable' unload aem_core || return 1
	exec 7<&-
	unload aem_core && nothing_is_left
}

failing_init()
{
	start || return 1
	for fail in 1 2; do
		refused 'No such device' load aem-null fail=$fail || return 1
		! loaded aem_null && is '' $binder list && is ENOENT $binder ask null 0 0 || return 1
	done
	load aem-null && is 'null 1 0 0' $binder list && unload aem_null
}

bad_parameters()
{
	refused 'nvalid' load aem-null version=0 && ! loaded aem_null &&
		refused 'nvalid' load aem-null name=NULL && ! loaded aem_null &&
		refused 'nvalid' load aem-null name=with/slash &&
		refused 'nvalid' load aem-null name=abcdefghijklmnopqrstuvwxyz0123456 &&
		refused 'nvalid' load aem-null name= &&
		refused 'nvalid' load aem-null version=x && ! loaded aem_null && is '' $binder list
}

versions_side_by_side()
{
	load aem-null && load aem-null-twin version=3 || return 1
	is 3 $binder ask null 0 0 && is 1 $binder ask null 0 2 && is 1 $binder ask null 1 1 &&
		is 3 $binder ask null 2 9 && is ENOPROTOOPT $binder ask null 2 2 &&
		is ENOPROTOOPT $binder ask null 4 0
}

# Each holds only what it is bound to.
versions_are_held_apart()
{
	hold null 1 1 && refused 'busy\|temporarily unavailable' unload aem_null &&
		unload aem_null_twin && is 'null 1 1 0' $binder list && let_go && unload aem_null
}

another_name()
{
	load aem-null name=other version=7 && load aem-null-twin && is 7 $binder ask other 0 0 &&
		is 1 $binder ask null 0 0 && unload aem_null && unload aem_null_twin
}

# A slow guest does less: late ROUNDS tells when that is enough, or when there is no hope of it.
now() { cut -d. -f1 /proc/uptime; }
enough=$(rounds 32)
begin() { end=$(($(now) + $(seconds 3))); }
late() { [ "$(now)" -ge $((end + ($1 < enough) * 180)) ]; }

# rmmod while processes open, bind, register and end: it is refused or it works.
churn()
{
	load aem-null || return 1
	workers=
	for i in 1 2 3; do
		$binder churn null >/tmp/churn.$i 2>&1 &
		workers="$workers $!"
	done
	done=0 busy=0
	begin
	while [ $done -lt 100 ] && ! late $done; do
		if unload aem_null; then
			done=$((done + 1))
			load aem-null || break
		elif grep -q 'busy\|temporarily unavailable' $error; then
			busy=$((busy + 1))
		else
			sed 's/^/# /' $error
			break
		fi
	done
	# shellcheck disable=SC2086
	kill $workers
	bad=0
	for worker in $workers; do
		wait "$worker" || bad=1
	done
	sed 's/^/# bound, absent: /' /tmp/churn.*
	echo "# $done times unloaded, $busy times refused"
	[ $done -ge $enough ] && [ $bad = 0 ] && is 'null 1 0 0' $binder list && unload aem_null
}

# The core itself, with nobody but those who try to open it.
churn_of_the_core()
{
	unload aem_core || return 1
	(while :; do true </dev/aem; sleep 0.01; done) 2>/dev/null &
	opener=$!
	i=0
	begin
	while [ $i -lt 100 ] && ! late $i; do
		load aem-core || break
		until unload aem_core; do :; done
		i=$((i + 1))
	done
	kill $opener
	wait $opener 2>/dev/null
	[ $i -ge $enough ] && nothing_is_left
}

plan 14
check 'a service needs the core' needs_the_core
check 'modules load and unload' loads_and_unloads
check 'loading twice is refused' loading_twice
check 'the wrong order is refused' wrong_order
check 'the same service twice is refused' duplicate_service
check 'a service in use stays' in_use
check 'the core in use stays' core_in_use
check 'a failed init leaves nothing' failing_init
check 'bad parameters are refused and leave nothing' bad_parameters
check 'two versions side by side' versions_side_by_side
check 'each version is held by its users' versions_are_held_apart
check 'another name is another service' another_name
check 'loading and unloading under churn' churn
check 'the core under churn' churn_of_the_core
finish
