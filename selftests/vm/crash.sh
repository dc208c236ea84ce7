#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A kernel that dies or complains is noticed, told apart, and shown.
. selftests/lib/vm.sh
plan 13

in_mode() { vm --load none -- sh -c "echo before; $crash mode=$1; sleep 1; echo after"; }

in_mode panic
check 'panic' said 243 'Kernel panic - not syncing: aem-crash'
check 'what the command printed before is there' printed before
check 'and so is the end of the log' grep -q '^  .*Kernel panic' "$tmp/err"
in_mode oops
check 'oops' said 243 'NULL pointer dereference'
in_mode bug
check 'BUG()' said 243 'kernel BUG at'
in_mode atomic
check 'sleeping in atomic context' said 243 'scheduling while atomic'
in_mode warn
check 'WARN()' said 244 'WARNING: '
in_mode refcount
check 'refcount' said 244 'refcount_t: '
in_mode log
check 'a splat that stops nothing' said 244 'possible circular locking'
check 'the command went on' printed 'before
after'
vm --load crash:mode=oops -- true
check 'while modules load' said 243 'loading aem-crash: .*NULL pointer'
vm --load none --append rdinit=/nowhere -- true
check 'before anything of ours ran' said 243 'power-on: .*Kernel panic'
check 'which is tried twice' test "$(grep -c 'trying again' "$tmp/err")" = 1
finish
