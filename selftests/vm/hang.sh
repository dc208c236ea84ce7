#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A guest that is stuck ends, and says how it was stuck.
. selftests/lib/vm.sh
plan 7

# A kernel where nothing happens waits for no grace period of RCU, and does not see that none can end.
in_mode() # MODE TIMEOUT
{
	vm --load none --timeout "$2" --append rcupdate.rcu_cpu_stall_timeout=4 -- \
		sh -c "sysctl -wq kernel.hung_task_timeout_secs=3; $crash mode=$1 & while (sleep 1); do :; done"
}

in_mode hang 60
check 'interrupts off for ever' said 245 'rcu: .*stall'
in_mode spin 60
check 'preemption off for ever' said 245 'rcu: .*stall|soft lockup'
in_mode block 60
check 'a task blocked for ever' said 245 'blocked for more than'
vm --load none --timeout 3 -- sh -c 'echo before; sleep 300'
check 'a command that takes too long' said 242 'timeout: .*command'
check 'what it printed before is there' printed before
vm --load none --timeout 3 --smp 1 -- sh -c "$crash mode=hang"
check 'nobody left in the guest to notice' said 242 'timeout: .*command'
vm --load none --timeout 3 --icount -- sh -c "$crash mode=hang"
check 'nor under icount' said 242 'timeout: .*command'
finish
