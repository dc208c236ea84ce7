#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# aemwatch: the ends of processes as lines, as JSON and as a tree.
# vm: timeout=120 load=core,timer,pexit
. selftests/lib/ktap.sh

plan 11

watch=build/tools/aemwatch
out=/tmp/out

shown() { grep -qE "$1" "$out" || { sed 's/^/# /' "$out"; false; }; }
lines() { [ "$(grep -cE "$1" "$out")" = "$2" ] || { sed 's/^/# /' "$out"; false; }; }
deeper() { awk -v a="$1" -v b="$2" '$0 ~ a { x = match($0, /[^ ]/) } $0 ~ b { y = match($0, /[^ ]/) } END { exit !(x && y > x) }' "$out"; }

timeout 30 $watch -- sh -c 'exit 3' >$out 2>&1
check 'a command is watched to its end' [ $? = 0 ]
check 'its status is told' shown ' end .*\(sh\) .* exit 3 user '

# shellcheck disable=SC2016 # for the shell that is watched
timeout 30 $watch -- sh -c 'kill -9 $$' >$out 2>&1
check 'a signal has its name' shown 'signal 9 \(KILL\)'

timeout 30 $watch -f -- sh -c '(exit 4); sh -c "exit 5"; exit 6' >$out 2>&1
check 'descendants are followed, to the last' shown 'exit 6'
check 'each child has its fork' lines ' fork ' 2
check 'each end is there' lines ' end ' 3
check 'a program begun is shown' shown ' exec .*\(sh\)'

timeout 30 $watch -jf -- sh -c 'true & wait; exit 7' >$out 2>&1
check 'JSON has the status' shown '"kind":"end".*"exit":7'
check 'JSON is an object a line' lines '^\{.*\}$' "$(wc -l <$out)"

timeout 30 $watch -t -- sh -c 'sh -c "(exit 8); exit 9"; exit 10' >$out 2>&1
check 'the tree shows who was whose child' deeper '^ *[0-9]+ .*: exit 9' '^ *[0-9]+ .*: exit 8'

timeout 30 $watch 99999999 >$out 2>&1
check 'who is not there is named' shown '99999999: No such process'
finish
