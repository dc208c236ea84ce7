#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# aem-httpd, with every access to memory checked, fed what no client should send: it answers what
# there is to answer, closes what has to be closed, loses nothing, and goes on.
# vm: files=/usr/bin/curl,build/asan/aem-httpd timeout=900 mem=1024 load=core,timer,ip main
# shellcheck disable=SC2086 # what has no blanks stays one word
. selftests/lib/httpd.sh

httpd=build/asan/aem-httpd
# The allocator of the checker gives nothing back by itself; leaks are looked for at the end.
export ASAN_OPTIONS=quarantine_size_mb=8:abort_on_error=0:exitcode=99 UBSAN_OPTIONS=halt_on_error=1

plan 62

head='HTTP/1.1\r\nHost: x\r\n'
echo 'here' >$www/index.html
head -c 100000 /dev/urandom >$www/middle.bin
head -c 4000000 /dev/urandom >$www/big.bin
for i in $(seq 20); do seq "$i" 1500 | sed "s/^/$i: /" >$www/$i.txt; done

now() { cut -d. -f1 /proc/uptime; }
fill() { head -c "$1" /dev/zero | tr '\0' "$2"; }
statuses() { sed -n 's/^.*HTTP\/1.1 \([0-9]*\) .*/\1/p' /tmp/raw | sort | uniq -c | tr -s ' \n' ' ' | sed 's/^ //; s/ $//'; }

# Random bytes, that may begin like a request.
garbage()
{
	for i in $(seq 30); do
		{ printf '%s' "$1"; head -c $((i * 50)) /dev/urandom; } | $client -n 3 -s $port >/tmp/raw
		[ $? != 2 ] || return
	done
	alive
}

# Whatever there is of a request when the client goes, there is nothing to answer.
half()
{
	for bytes in G 'GET /' "GET / $head" 'GET / HTTP/1.1\r\nHost' "POST / ${head}Content-Length: 9\r\n\r\nabc"; do
		raw "$bytes" -s && is '' "$(cat /tmp/raw)" || return
	done
	alive
}

# took LOW HIGH COMMAND...: seconds; guests are slow, so what is too late is generous.
took()
{
	low=$1 high=$2
	shift 2
	begin=$(now)
	"$@" || return
	seconds=$(($(now) - begin))
	[ $seconds -ge "$low" ] && [ $seconds -le "$high" ] && return
	echo "# took $seconds seconds"
	return 1
}

silent() { first 408 "GET / $head"; }
trickling() { first 408 "GET / $head$(seq 100 | sed 's/^/x: /' | tr -d '\n')" -c 1 -d 100; }
trickling_body() { first 408 "POST / ${head}Content-Length: 1000\r\n\r\n$(fill 500 x)" -c 1 -d 100; }
mute() { raw '' && is '' "$(cat /tmp/raw)"; }
only_lines() { raw '\r\n\r\n\r\n' && is '' "$(cat /tmp/raw)"; }

# What is refused while the client still sends is answered all the same: no reset takes the answer away.
refused() # STATUS < BYTES
{
	$client "$2" $port >/tmp/raw
	is 0 $? && is "1 $1" "$(statuses)"
}
long_field() { { printf 'GET / HTTP/1.1\r\nHost: x\r\nX: '; fill 1000000 a; printf '\r\n\r\n'; } | refused 431 -c4000; }
long_name() { { printf 'GET / HTTP/1.1\r\nHost: x\r\n'; fill 1000000 a; printf ': x\r\n\r\n'; } | refused 431 -c4000; }
many_short() { { printf 'GET / HTTP/1.1\r\nHost: x\r\n'; yes "$(printf 'a: b\r')" | head -n 160000; printf '\r\n'; } | refused 431 -c4000; }
long_target() { { printf 'GET /'; fill 1000000 a; printf ' HTTP/1.1\r\nHost: x\r\n\r\n'; } | refused 414 -c4000; }
long_method() { fill 1000000 A | refused 400 -c4000; }
long_body() { { printf 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n'; fill 1000000 a; } | refused 413 -c4000; }
endless_chunks()
{
	{
		printf 'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n'
		yes "$(printf '4\r\nabcd\r')" | head -n 100000
	} | refused 413 -c4000
}

smuggled() { first 400 "$1"; }

resets()
{
	raw "GET /big.bin $head\r\n" -r -n 60 && raw "GET /big.bin $head\r\n" -r -m 40 -n 3 &&
		raw 'GET / HT' -r -m 40 -n 3 && raw '' -r -m 40 && alive
}

# N requests at once for files that do not fit into the socket, received late: every byte, in order.
burst()
{
	for i in $(seq "$1"); do
		printf 'GET /%d.txt HTTP/1.1\r\nHost: x\r\n\r\n' $((i % 20 + 1))
	done | $client -s "$2" "$3" $port >/tmp/raw
	is 0 $? || return
	for i in $(seq "$1"); do cat $www/$((i % 20 + 1)).txt; done | md5sum >/tmp/expected
	grep '^[0-9]' /tmp/raw | md5sum | cmp - /tmp/expected
}

# One who does not receive is held up, and so is what it sends; then it is cut off.
deaf()
{
	for i in $(seq 20000); do printf 'GET /middle.bin HTTP/1.1\r\nHost: x\r\n\r\n'; done >/tmp/requests
	$client -w 15000 -t 16 $port </tmp/requests >/tmp/raw
	[ $? = 3 ] && alive
}

late_reader()
{
	raw "GET /big.bin ${head}Connection: close\r\n\r\n" -w 1000 &&
		tail -c 4000000 /tmp/raw | cmp - $www/big.bin
}

# Its length is promised, and cannot be kept.
shrinking()
{
	cp $www/big.bin $www/shrinking.bin
	{ sleep 1; : >$www/shrinking.bin; } &
	raw "GET /shrinking.bin ${head}Connection: close\r\n\r\n" -w 3000
	is 3 $? && alive
}

at_once() # COUNT STATUS BYTES
{
	raw "$3" -m "$1" -t 60 && is "$1 $2" "$(statuses)" && alive
}

counted() { is 0 "$(figure 'ticks lost')" && is 1 "$(figure failures)" && test "$(figure 'full sockets')" -gt 0 &&
	test "$(figure resets)" -gt 0 && test "$(figure timeouts)" -gt 0; }

no_complaint() { ! grep -E 'Sanitizer|runtime error' $log; }

for mode in safepoint interrupt; do
	start --mode=$mode --timers 3 --request-timeout 3 --idle-timeout 5 --send-timeout 4
	check "$mode: garbage" garbage ''
	check "$mode: garbage that begins well" garbage 'GET / HTTP/1.1'
	check "$mode: garbage after a line" garbage "$(printf 'GET / HTTP/1.1\r\nHost: x\r\n.')"
	check "$mode: half of a request, and the end" half
	check "$mode: half of a request, and silence" took 2 9 silent
	check "$mode: a head that trickles" took 2 9 trickling
	check "$mode: a body that trickles" took 2 9 trickling_body
	check "$mode: never a word" took 4 12 mute
	check "$mode: empty lines" took 2 9 only_lines
	check "$mode: a field of 1 MB" long_field
	check "$mode: a name of 1 MB" long_name
	check "$mode: 160,000 fields" many_short
	check "$mode: a target of 1 MB" long_target
	check "$mode: a method of 1 MB" long_method
	check "$mode: a body of 1 MB" long_body
	check "$mode: chunks without end" endless_chunks
	check "$mode: two lengths" smuggled "POST / ${head}Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc"
	check "$mode: length and chunks" smuggled "POST / ${head}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"
	check "$mode: a lone carriage return" smuggled "GET / HTTP/1.1\r\nHost: x\r\rX: y\r\n\r\n"
	check "$mode: resets" resets
	check "$mode: a burst of 200 requests" burst 200 -c100000 -d0
	check "$mode: a burst in pieces, received late" burst 200 -c1000 -w1500
	check "$mode: 4 MB, received late" late_reader
	check "$mode: one who never receives" deaf
	check "$mode: a file that shrinks" shrinking
	check "$mode: 300 halves of requests at once" at_once 300 408 'GET / HT'
	check "$mode: still there" alive
	check "$mode: ends when told to" stop
	check "$mode: has counted right" counted
	check "$mode: no bad access, no leak" no_complaint
	check "$mode: leaves nothing" nothing_left
done
finish
