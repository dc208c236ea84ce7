#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What only the debug kernel sees is noticed, and fails a run. One guest for each: most of it ends
# the guest, and lockdep gives up with its first complaint.
# vm: kernel=debug
. selftests/lib/vm.sh
plan 8

in_mode() # MODE SENTENCE
{
	vm --load none -- sh -c "$crash mode=$1"
	said 244 "$2"
}

check 'memory that was freed' in_mode freed 'BUG: KASAN: .*use-after-free'
check 'beyond the end of memory' in_mode beyond 'BUG: KASAN: .*out-of-bounds'
check 'a leak' in_mode leak 'kmemleak: leaks in the end: '
check 'locks in either order' in_mode locks 'possible circular locking dependency'
check 'an allocation under a spinlock' in_mode sleep 'BUG: sleeping function called'
check 'a pointer read outside of RCU' in_mode rcu 'suspicious RCU usage'
check 'arithmetic' in_mode shift 'UBSAN: shift-out-of-bounds'
check 'a timer that runs in freed memory' in_mode object 'ODEBUG: free active'
finish
