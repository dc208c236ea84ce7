#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Versions of a service side by side: who gets which, and what happens when one is retired.
# vm: load=core,timer,timer_2
# shellcheck shell=dash disable=SC2086 # what has no blanks stays one word
. selftests/lib/ktap.sh
. selftests/lib/said.sh
. selftests/lib/binder.sh

aemctl=build/tools/aemctl

newest_in_the_range()
{
	is 2 $binder ask timer 0 0 && is 2 $binder ask timer 1 0 && is 1 $binder ask timer 1 1 &&
		is ENOPROTOOPT $binder ask timer 3 0
}

only_the_administrator()
{
	says 'CAP_SYS_MODULE' 1 su alice -c "$PWD/$aemctl service retire timer 2" &&
		is 2 $binder ask timer 0 0
}

wrong_names()
{
	says 'no service has this name' 1 $aemctl service retire no-such 1 &&
		says 'no such version' 1 $aemctl service retire timer 9 &&
		says 'is not a version' 64 $aemctl service retire timer 0 &&
		says 'is not a version' 64 $aemctl service retire timer x &&
		says 'takes 2 words' 64 $aemctl service retire timer
}

retired()
{
	hold timer 0 0 && is 2 cat /tmp/held || return 1
	says '1 context with 0 events stays bound' 0 $aemctl service retire timer 2 || return 1
	says 'retired already' 1 $aemctl service retire timer 2 || return 1
	is 1 $binder ask timer 0 0 && is ENOPROTOOPT $binder ask timer 2 0 &&
		says 'timer *2 *retired' 0 $aemctl service list &&
		says 'timer *1 *offered' 0 $aemctl service list &&
		says 'unavailable' 1 rmmod aem_timer_2
}

the_last_one_lets_it_go()
{
	let_go
	rmmod aem_timer_2 && is 1 $binder ask timer 0 0 && insmod "/lib/modules/$(uname -r)/extra/aem-timer_2.ko" &&
		is 2 $binder ask timer 0 0
}

nobody_bound()
{
	says 'can be unloaded' 0 $aemctl service retire timer 1 && rmmod aem_timer &&
		is 2 $binder ask timer 0 0 && is ENOPROTOOPT $binder ask timer 1 1
}

plan 6
check 'a new context gets the newest in its range' newest_in_the_range
check 'services are the administrator'\''s' only_the_administrator
check 'wrong names and versions are told' wrong_names
check 'a retired version keeps its contexts and gets no new ones' retired
check 'the last one lets it go' the_last_one_lets_it_go
check 'one that nobody is bound to goes at once' nobody_bound
finish
