#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A service that is bound is loaded; and if it cannot be, what is said helps.
# vm: load=none own
# shellcheck shell=dash disable=SC2086 # what has no blanks stays one word
. selftests/lib/ktap.sh
. selftests/lib/said.sh

aemctl=$PWD/build/tools/aemctl
enforce=/sys/module/module/parameters/sig_enforce

loaded() { [ -d /sys/module/$1 ]; }
as() { su $1 -c "$aemctl service ask $2 $3"; }

no_core()
{
	says 'modprobe aem-core' 1 $aemctl service ask timer 1 && ! loaded aem_core
}

not_in_the_group()
{
	modprobe aem-core && chgrp aem /dev/aem && chmod 660 /dev/aem &&
		says 'group aem: join it' 1 as mallory timer 1 && ! loaded aem_timer
}

is_loaded()
{
	says 'timer can be bound' 0 as alice timer 1 && loaded aem_timer
}

wrong_version()
{
	says 'aemctl service list' 1 $aemctl service ask timer 99 && says 'timer' 0 $aemctl service list
}

no_such_service()
{
	says 'modprobe aem-service-no-such says why' 1 $aemctl service ask no-such 1 &&
		says 'not found' 1 modprobe aem-service-no-such &&
		says 'out of range' 1 $aemctl service ask NO-SUCH 1
}

unload()
{
	for module in $(lsmod | awk '/^aem_timer/ { print $1 }'); do
		rmmod $module || return
	done
}

# What is not signed is refused from here on, until the guest ends.
key_rejected()
{
	unload && echo 1 >$enforce && says 'modprobe aem-service-timer says why' 1 as alice timer 1 &&
		! loaded aem_timer && says 'Key' 1 modprobe aem-service-timer
}

plan 6
check 'without the core' no_core
check 'not in the group' not_in_the_group
check 'a service that is bound is loaded' is_loaded
check 'a version that is not there' wrong_version
check 'a service that is not there' no_such_service
if [ -e $enforce ]; then
	check 'a module whose key is rejected' key_rejected
else
	result ok 'a module whose key is rejected # SKIP optional: this kernel takes any module'
fi
finish
