#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# aemctl: what it shows, to whom, and what it says when it cannot.
# vm: files=/usr/bin/curl timeout=200 load=core,timer,ip
# shellcheck disable=SC2086 # what has no blanks stays one word
. selftests/lib/httpd.sh

plan 38

err=/tmp/err
out=/tmp/out
tool=$PWD/build/tools/aemctl

# run STATUS ARGUMENT...: what it prints is left in $out and $err
run()
{
	expected=$1
	shift
	aemctl "$@" >$out 2>$err
	is "$expected" $?
}

# as USER STATUS ARGUMENT...
as()
{
	user=$1 expected=$2
	shift 2
	su "$user" -c "$tool $*" >$out 2>$err
	is "$expected" $?
}

said() { grep -q "$1" $err || { sed 's/^/# /' $err; false; }; }
shown() { grep -qE "$1" $out || { sed 's/^/# /' $out; false; }; }
silent() { [ ! -s $out ]; }
rows() { is "$1" $(($(wc -l <$out) - 1)); }

# Every cell of a column begins or ends where its heading does.
aligned()
{
	awk 'NR == 1 { width = index($0, "VERSION") + 6 }
		NR > 1 { rest = substr($0, 1, width); if (rest !~ /[0-9]$/ || substr($0, width + 1, 1) ~ /[0-9]/) bad = 1 }
		END { exit bad }' $out
}

# json KEY: the values of a member, without their quotes
json() { sed -n "s/^ *\"$1\": *\"\{0,1\}\([^\",]*\)\"\{0,1\},\{0,1\}\$/\1/p" $out | tr '\n' ' ' | sed 's/ $//'; }

number_of_events() { json service | tr ' ' '\n' | grep -c "$1"; }

# What all show of one context is the same.
sums()
{
	run 0 --json processes $server && count=$(json events) && run 0 --json events $server &&
		is "$count" "$(json id | wc -w)" && run 0 --json counters $server && is "$count" "$(json events)" &&
		run 0 --json services && is "$count" $(($(json events | tr ' ' '+')))
}

# Between two looks the timers have ticked.
counts()
{
	run 0 --json counters $server && before=$(json activations) && sleep 1 &&
		run 0 --json counters $server && [ "$(json activations)" -gt "$before" ] &&
		[ "$(json records)" -gt 0 ] && is 0 "$(json starvations)"
}

same_as_fdinfo()
{
	fd=$(run 0 --json processes $server && json fd)
	for key in mode owner vmt-size ring-entries events; do
		is "$(sed -n "s/^$key:[[:space:]]*//p" /proc/$server/fdinfo/$fd)" "$(json $key)" || return
	done
}

check 'help' run 0 --help
check 'names the commands' shown 'counters \[PID\]'
check 'version' run 0 --version
check 'no command' run 64
check 'says so' said 'say what to show'
check 'an unknown command' run 64 frobnicate
check 'a PID that is none' run 64 events 12x
check 'too much' run 64 services 1
check 'services' run 0 services
check 'one line for each' rows 2
check 'with name and version' shown '^timer  *1 .* 0  *0$'
check 'in columns' aligned
check 'no contexts' run 0 processes
check 'prints nothing then' silent
check 'but says why' said 'no process has /dev/aem open'
check 'no events' run 0 events
check 'an empty array' run 0 --json events
check 'is one' is '[]' "$(tr -d '[:space:]' <$out)"
check 'a process that is not there' run 1 events 99999
check 'is told' said 'there is no process 99999'

echo x >$www/index.html
start --timers 3
check 'the server' run 0 processes
check 'is shown' shown "^ *$server  aem-httpd .* safepoint  *$server "
check 'as fdinfo says' same_as_fdinfo
check 'its events' run 0 --json events $server
check 'timers' is 4 "$(number_of_events timer)"
check 'with their flags' grep -q '"flag-names": *"\(SAFEPOINT,\)\{0,1\}START"' $out
check 'and sockets' is 1 "$(number_of_events ip)"
check 'everywhere the same number' sums
check 'counters count' counts
check 'a member of the group' as alice 0 services
check 'who is no member' as mallory 1 services
check 'hears what to do' said 'group aem: join it'
check 'others see none of it' as alice 1 events $server
check 'and hear whose it is' said "process $server is another user"
check 'the server ends' stop

check 'all modules unload' unload
check 'without modules' run 1 services
check 'it says what to do' said 'modprobe aem-core'
finish
