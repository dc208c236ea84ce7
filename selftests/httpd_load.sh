#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# aem-httpd under wrk, ab and httperf while timers tick: no error, and the sums match.
# vm: files=/usr/bin/curl,/usr/bin/wrk,/usr/bin/ab,/usr/bin/httperf timeout=300 load=core,timer,ip
# shellcheck disable=SC2086 # what has no blanks stays one word
. selftests/lib/httpd.sh

plan 24

head -c 1200 /dev/zero | tr '\0' x >$www/index.html
head -c 200000 /dev/urandom >$www/middle.bin
out=/tmp/out

# What the client said, if it is not what it should say.
shown()
{
	"$@" && return
	sed 's/^/# /' $out
	return 1
}

with_httperf() # CONNECTIONS CALLS [RATE]
{
	httperf --hog --server 127.0.0.1 --port $port --uri /index.html --num-conns $1 --num-calls $2 \
		--rate ${3:-50} --timeout 60 >$out 2>/dev/null
	total=$(($1 * $2))
	grep -q "^Total: connections $1 requests $total replies $total " $out &&
		grep -q '^Errors: total 0 ' $out && grep -q "^Reply status: 1xx=0 2xx=$total 3xx=0 4xx=0 5xx=0" $out &&
		grep -q '^Reply size .* content 1200.0 footer' $out
}

# Without -k, ab opens connections that it has no requests for, and stalls on them with any server:
# so one at a time only.
with_ab() # REQUESTS CONCURRENCY FILE OPTION...
{
	requests=$1 concurrency=$2 file=$3
	shift 3
	ab -q -s 60 -n $requests -c $concurrency "$@" $url/$file >$out 2>&1 &&
		grep -q "^Complete requests:  *$requests\$" $out && grep -q '^Failed requests:  *0$' $out &&
		! grep -q 'Non-2xx' $out
}

with_wrk() # CONNECTIONS SECONDS FILE
{
	wrk -t 1 -c $1 -d $2 --timeout 30s $url/$3 >$out 2>&1 &&
		! grep -qE 'Socket errors|Non-2xx' $out &&
		test "$(sed -n 's/^ *\([0-9]*\) requests in.*/\1/p' $out)" -gt 0
}

# ab may open a few connections more than it uses.
counted() # REQUESTS CONNECTIONS
{
	is "$1" "$(figure requests)" && is "$1" "$(figure 'answers 2xx')" && right &&
		test "$(figure connections)" -ge "$2"
}

right() { is 0 "$(figure failures)" && is 0 "$(figure refused)" && is 0 "$(figure timeouts)" &&
	is 0 "$(figure 'ticks lost')" && test "$(figure ticks)" -gt 0; }

many=$(rounds 40) wrk=$(seconds 1)
for mode in safepoint interrupt; do
	start --mode=$mode --timers 10
	check "$mode: httperf, connections of 100 requests" shown with_httperf $many 100
	check "$mode: ab, 50 connections that stay" shown with_ab $((many * 30)) 50 index.html -k
	check "$mode: httperf, a connection each" shown with_httperf $((many * 5)) 1 150
	check "$mode: ab, a connection each" shown with_ab $((many * 3)) 1 index.html
	check "$mode: ab, HEAD" shown with_ab $((many * 5)) 20 index.html -k -i
	check "$mode: ab, a larger file" shown with_ab $((many * 2)) 10 middle.bin -k
	check "$mode: ends when told to" stop
	check "$mode: every request was counted once" counted $((many * 145)) $((many * 9 + 80))
	start --mode=$mode --timers 10 --max-connections 40
	check "$mode: wrk, as many connections as may be" shown with_wrk 40 $wrk index.html
	check "$mode: wrk, a larger file" shown with_wrk 10 $wrk middle.bin
	check "$mode: ends when told to again" stop
	check "$mode: has counted right" right
done
finish
