#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# aem-supervise: restarts with delay and limit, heartbeats, a changed configuration, the end.
# vm: timeout=180 load=core,timer,pexit,fd
. selftests/lib/ktap.sh

plan 16

supervise=build/tools/aem-supervise
config=/tmp/supervise.conf
log=/tmp/supervise.log

# said PATTERN [COUNT]: waits until the log has it, for as long as a slow machine may need
said()
{
	tries=300
	while [ "$(grep -cE "$1" "$log")" -lt "${2:-1}" ]; do
		tries=$((tries - 1))
		[ "$tries" -gt 0 ] || { sed 's/^/# /' "$log"; return 1; }
		sleep 0.1
	done
}

pid_of() { sed -n "s/^aem-supervise: $1: process \([0-9]*\)$/\1/p" $log | tail -n 1; }
gone() { ! kill -0 "$1" 2>/dev/null; }

cat >$config <<'END'
# What is kept alive
[steady]
command = sleep 1000
delay = 0.05

[failing]
command = sh -c 'exit 3'
delay = 0.01
backoff = 1.5
limit = 4
window = 600

[once]
command = true
restart = on-failure

[silent]
command = sleep 1000
heartbeat = 0.5
delay = 30
END

mkdir -p /run
$supervise $config 2>$log &
supervisor=$!

check 'a program is started' said 'steady: process'
first=$(pid_of steady)
kill -SEGV "$first"
check 'its end is told' said "steady: process $first ended: signal 11"
check 'it is started again' said 'steady: process [0-9]+$' 2
check 'one that ends too often is given up' said 'failing: ended 5 times within 600 s: given up'
check 'it was started as often as allowed' [ "$(grep -cE 'failing: process [0-9]+$' $log)" = 5 ]
check 'one that is done is left alone' [ "$(grep -cE 'once: process [0-9]+$' $log)" = 1 ]
check 'one without a heartbeat is noticed' said 'silent: no heartbeat'
check 'and ended' said 'silent: process [0-9]+ ended: signal 6'

sed 's/^command = sleep 1000$/command = sleep 2000/' $config >$config.new
mv $config.new $config
check 'a changed command is taken at once' said 'steady: process [0-9]+$' 3
check 'with the new arguments' sh -c "tr '\\0' ' ' </proc/$(pid_of steady)/cmdline | grep -q 'sleep 2000'"
sed 's/^command = sleep 2000$/command = sleep 3000/' $config >/tmp/other.conf
cat /tmp/other.conf >$config
check 'so is one that is written in its place' said 'steady: process [0-9]+$' 4
check 'it is aem-fd that sees it' grep -q 'service=fd ' /proc/$supervisor/fdinfo/*
check 'and nothing else' sh -c "! ls -l /proc/$supervisor/fd | grep -q inotify"
mv $config /tmp/away.conf
touch /tmp/nearby.conf
mv /tmp/away.conf $config
sleep 1
check 'one that comes back changes nothing' [ "$(grep -cE 'steady: process [0-9]+$' $log)" = 4 ]
last=$(pid_of steady)
kill -TERM $supervisor
wait $supervisor
check 'it ends when it is told to' [ $? = 0 ]
check 'and its programs before it' gone "$last"
finish
