#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# aem-ip and aem-timer are exchanged, there and back, while aem-httpd serves wrk and its timers tick.
# With AEM_SWAPS=1000 in the environment so many, half of them in each mode, beside 10,000 timers; otherwise
# as many as a few seconds allow.
# vm: files=/usr/bin/curl,/usr/bin/wrk,/usr/bin/httperf timeout=500 load=core,timer,timer_3,ip,ip_2,ip_3 mem=768
# shellcheck disable=SC2086 # what has no blanks stays one word
. selftests/lib/httpd.sh

aemctl=build/tools/aemctl
out=/tmp/out
swaps=0
timers=10
[ "${AEM_SWAPS:-0}" = 0 ] || timers=10000
head -c 1200 /dev/zero | tr '\0' x >$www/index.html

# swap NAME OLD NEW
swap()
{
	$aemctl service swap $1 $2 $3 >$out 2>&1 && grep -q "moved from version $2 to $3" $out &&
		grep -q "the module of version $2 can be unloaded" $out && swaps=$((swaps + 1)) && return
	sed 's/^/# /' $out
	return 1
}

# 3 has another layout of the private part. The module that was left goes at once.
round()
{
	swap ip 1 3 && swap timer 1 3 && rmmod aem_ip && swap ip 3 2 && rmmod aem_ip_3 &&
		insmod $extra/aem-ip.ko && insmod $extra/aem-ip_3.ko &&
		$aemctl service retire ip 3 >$out && swap timer 3 1 && swap ip 2 1
}

# Whether there is to be another round, of so many swaps; or 0: for four seconds.
wanted()
{
	if [ $1 = 0 ]; then
		[ "$(date +%s)" -lt $end ]
	else
		[ $swaps -lt $1 ]
	fi
}

# exchanges SWAPS
exchanges()
{
	end=$(($(date +%s) + 4))
	swaps=0
	while wanted $1; do
		round || return
	done
	echo "# $swaps swaps"
}

extra=/lib/modules/$(uname -r)/extra

# start binds the newest; what is to move begins with version 1.
retired() { $aemctl service retire timer 3 && $aemctl service retire ip 2 && $aemctl service retire ip 3; }

# Its load lasts for as long as we swap.
with_wrk()
{
	wrk -t 1 -c 20 -d 10h --timeout 60s $url/index.html >/tmp/wrk 2>&1 &
	client=$!
	sleep 1
	exchanges $((${AEM_SWAPS:-0} / 2))
	status=$?
	kill -INT $client
	wait $client || status=1
	grep -E 'requests in|errors|Non-2xx' /tmp/wrk | sed 's/^/# /'
	! grep -qE 'Socket errors|Non-2xx' /tmp/wrk && [ $status = 0 ]
}

with_httperf()
{
	many=$(rounds 200)
	httperf --hog --server 127.0.0.1 --port $port --uri /index.html --num-conns $many --num-calls 10 \
		--rate $((many / 4)) --timeout 60 >/tmp/httperf 2>/dev/null &
	client=$!
	exchanges 0
	status=$?
	wait $client
	grep -q "^Total: connections $many requests ${many}0 replies ${many}0 " /tmp/httperf &&
		grep -q '^Errors: total 0 ' /tmp/httperf && [ $status = 0 ]
}

right() { is 0 "$(figure failures)" && is 0 "$(figure refused)" && is 0 "$(figure timeouts)" &&
	is 0 "$(figure 'ticks lost')" && test "$(figure ticks)" -gt 0; }

plan 8
check 'only version 1 is offered' retired
for mode in safepoint interrupt; do
	start --mode=$mode --timers $timers
	check "$mode: wrk sees no error" with_wrk
	[ $mode = interrupt ] || check "$mode: httperf sees no error" with_httperf
	check "$mode: ends when told to" stop
	check "$mode: no request failed, no tick was lost" right
done
finish
