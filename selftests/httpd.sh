#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# aem-httpd: right answers to requests of all kinds.
# vm: main files=/usr/bin/curl timeout=300 load=core,timer,ip
# shellcheck disable=SC2086 # what has no blanks stays one word
. selftests/lib/httpd.sh

plan 77

make_files()
{
	echo '<p>here' >$www/index.html
	echo 'first' >$www/changing.txt
	mkdir -p $www/with $www/without "$www/a b" /tmp/outside
	echo 'inside' >$www/with/index.html
	echo 'blank' >"$www/a b/c d.txt"
	echo 'secret' >/tmp/outside/secret
	ln -sf /tmp/outside/secret $www/absolute
	ln -sf ../outside/secret $www/relative
	ln -sf with/index.html $www/inner
	mkfifo $www/fifo 2>/dev/null
	: >$www/empty
	printf '0123456789' >$www/digits.bin
	head -c 3000000 /dev/urandom >$www/big.bin
	head -c 65536 /dev/urandom >$www/cached.bin
	for type in css js json png svg txt none; do : >$www/type.$type; done
	for i in $(seq 300); do echo "number $i" >$www/$i.txt; done
}

right_body() { answers 200 "$url/$1" && cmp /tmp/body "$www/$1"; }

type_is() { answers 200 "$url/type.$1" && has Content-Type "$2"; }

complete_head()
{
	answers 200 $url/index.html && has Content-Length 8 && has Server aem-httpd &&
		has Content-Type 'text/html; charset=utf-8' &&
		grep -q '^Date: ..., .. ... .... ..:..:.. GMT' /tmp/head &&
		grep -q '^Last-Modified: ..., .. ... .... ..:..:.. GMT' /tmp/head
}

# What GET would say, without the body: the last line is the empty one that ends the head.
like_get()
{
	first 200 'HEAD /digits.bin HTTP/1.0\r\n\r\n' && is 'Content-Length: 10' "$(length_line)" &&
		is '' "$(last_line)" &&
		first 404 'HEAD /nothing HTTP/1.0\r\n\r\n' && is 'Content-Length: 14' "$(length_line)" &&
		is '' "$(last_line)"
}
length_line() { tr -d '\r' </tmp/raw | grep '^Content-Length'; }
last_line() { tail -n 1 /tmp/raw | tr -d '\r'; }

redirected() { answers 301 "$url/with?x=1" && has Location '/with/?x=1'; }
stays_here() { answers 301 "$url//with" && has Location '/with/'; }
absolute_form() { first 200 'GET http://some.where/digits.bin HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'; }

allowed() { answers 405 "$@" && has Allow 'GET, HEAD'; }

on_one_connection()
{
	is '1 0 0' "$(curl -s -o /dev/null -o /dev/null -o /dev/null -w '%{num_connects} ' \
		$url/1.txt $url/2.txt $url/nothing | sed 's/ $//')"
}

# After an answer to HTTP/1.0 the server closes, unless it was asked to stay.
old_protocol()
{
	first 200 'GET /digits.bin HTTP/1.0\r\n\r\n' && grep -q '^Connection: close' /tmp/raw &&
		is 0123456789 "$(tail -n 1 /tmp/raw)"
}

old_keep_alive()
{
	request='GET /digits.bin HTTP/1.0\r\nConnection: keep-alive\r\n\r\n'
	first 200 "$request$request" -s && is 2 "$(grep -c '^Connection: keep-alive' /tmp/raw)"
}

conditional()
{
	answers 200 $url/digits.bin || return
	modified=$(tr -d '\r' </tmp/head | sed -n 's/^Last-Modified: //p')
	answers 304 -H "If-Modified-Since: $modified" $url/digits.bin && [ ! -s /tmp/body ] &&
		answers 200 -H 'If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT' $url/digits.bin &&
		answers 200 -H 'If-Modified-Since: Sunday, 06-Nov-94 08:49:37 GMT' $url/digits.bin &&
		answers 200 -H 'If-Modified-Since: yesterday' $url/digits.bin
}

range() { answers 206 -r "$1" $url/digits.bin && is "$2" "$(cat /tmp/body)" && has Content-Range "bytes $3/10"; }

no_such_range() { answers 416 -r 10-20 $url/digits.bin && has Content-Range 'bytes */10'; }

if_range()
{
	answers 200 $url/digits.bin || return
	modified=$(tr -d '\r' </tmp/head | sed -n 's/^Last-Modified: //p')
	answers 206 -r 0-1 -H "If-Range: $modified" $url/digits.bin &&
		answers 200 -r 0-1 -H 'If-Range: Sun, 06 Nov 1994 08:49:37 GMT' $url/digits.bin
}

# The second answer has to come from the file as it is then.
notices_change()
{
	right_body changing.txt && echo 'second, and longer' >$www/changing.txt && sleep 1.2 &&
		right_body changing.txt && rm $www/changing.txt && sleep 1.2 &&
		answers 404 $url/changing.txt && echo first >$www/changing.txt
}

# 300 requests at once: all answers, in order.
pipelined()
{
	for i in $(seq 300); do
		printf 'GET /%d.txt HTTP/1.1\r\nHost: x\r\n\r\n' "$i"
	done | $client "$@" $port >/tmp/raw
	is 0 $? && is "$(seq 300 | sed 's/^/number /')" "$(grep '^number' /tmp/raw)"
}

swallows_body()
{
	raw 'POST /1.txt HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhelloGET /2.txt HTTP/1.1\r\nHost: x\r\n\r\nPUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\nGET /3.txt HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'
	is '405 200 405 200' "$(sed -n 's/HTTP\/1.1 \([0-9]*\).*/\1/p' /tmp/raw | tr '\n' ' ' | sed 's/ $//')" &&
		is 'number 3' "$(tail -n 1 /tmp/raw)"
}

many() { head -c "$1" /dev/zero | tr '\0' "$2"; }

counted() # ANSWERS-5XX
{
	is "$(figure requests)" $(($(figure 'answers 2xx') + $(figure 'answers 3xx') + $(figure 'answers 4xx') +
		$(figure 'answers 5xx'))) && is 0 "$(figure failures)" && is "$1" "$(figure 'answers 5xx')" &&
		is 0 "$(figure 'ticks lost')"
}

ask()
{
	head='HTTP/1.1\r\nHost: x\r\n'
	check "$1: a file" right_body digits.bin
	check "$1: all of the head" complete_head
	check "$1: an empty file" right_body empty
	check "$1: a file of the cache's largest" right_body cached.bin
	check "$1: a big file" right_body big.bin
	check "$1: over IPv6" answers 200 -g "http://[::1]:$port/digits.bin"
	check "$1: blanks in names" answers 200 "$url/a%20b/c%20d.txt"
	check "$1: queries are ignored" answers 200 "$url/digits.bin?a=b"
	check "$1: the absolute form" absolute_form
	check "$1: an index" answers 200 $url/with/
	check "$1: a directory without its slash" redirected
	check "$1: never to another server" stays_here
	check "$1: a directory without index" answers 403 $url/without/
	check "$1: dots that stay inside" answers 200 $url/without/../with/./index.html
	check "$1: a link that stays inside" answers 200 $url/inner
	check "$1: HEAD" like_get
	check "$1: nothing there" answers 404 $url/nothing
	check "$1: a file is no directory" answers 404 $url/digits.bin/
	check "$1: not out of the root" answers 403 $url/../outside/secret
	check "$1: nor hidden" answers 403 $url/with/%2e%2e/..%2f../etc/passwd
	check "$1: nor by an absolute link" answers 403 $url/absolute
	check "$1: nor by a relative one" answers 403 $url/relative
	check "$1: no FIFO" answers 403 $url/fifo
	check "$1: a bad escape" answers 400 $url/%zz
	check "$1: an escaped NUL" answers 400 $url/a%00b
	check "$1: a name that is too long" answers 404 "$url/$(many 300 a)"
	check "$1: POST" allowed -d x $url/digits.bin
	check "$1: DELETE" allowed -X DELETE $url/digits.bin
	check "$1: an unknown method" first 501 "FROBNICATE / $head\r\n"
	check "$1: HTTP/3.0" first 505 'GET / HTTP/3.0\r\n\r\n'
	check "$1: no version" first 400 'GET /\r\n\r\n'
	check "$1: no host" first 400 'GET / HTTP/1.1\r\n\r\n'
	check "$1: two hosts" first 400 "GET / ${head}Host: y\r\n\r\n"
	check "$1: a target that is too long" answers 414 "$url/$(many 9000 a)"
	check "$1: a head that is too long" answers 431 -H "x: $(many 17000 a)" $url/
	check "$1: a body that is too long" first 413 "POST / ${head}Content-Length: 99999999\r\n\r\n"
	check "$1: a strange expectation" first 417 "GET / ${head}Expect: a miracle\r\n\r\n"
}

ask_more()
{
	check "$1: one connection for many requests" on_one_connection
	check "$1: HTTP/1.0" old_protocol
	check "$1: HTTP/1.0 that stays" old_keep_alive
	check "$1: conditional requests" conditional
	check "$1: the first bytes" range 0-3 0123 0-3
	check "$1: the last bytes" range -3 789 7-9
	check "$1: from there on" range 6- 6789 6-9
	check "$1: beyond the end" no_such_range
	check "$1: a range of what it was" if_range
	check "$1: a file that changes" notices_change
	check "$1: pipelined requests" pipelined -s
	check "$1: pipelined requests in small pieces" pipelined -s -c 7
	check "$1: bodies are swallowed" swallows_body
	check "$1: several types" type_is css 'text/css; charset=utf-8'
	check "$1: unknown types" type_is none application/octet-stream
}

make_files
start --mode=safepoint --timers 5
ask safepoint
ask_more safepoint
check 'safepoint: ends when told to' stop
check 'safepoint: has counted right' counted 2
check 'safepoint: leaves nothing' nothing_left

start --mode=interrupt --timers 5 --cache 0 --address 127.0.0.1
check 'interrupt: a big file' right_body big.bin
check 'interrupt: pipelined requests' pipelined -s -c 1000
check 'interrupt: nothing there' answers 404 $url/nothing
for i in 1 2 3; do
	check "interrupt: conditional requests, time $i" conditional
	check "interrupt: bodies are swallowed, time $i" swallows_body
done
check 'interrupt: ends when told to, with the right number of primes' stop
check 'interrupt: has counted right' counted 0
check 'interrupt: main() was interrupted' test "$(figure interruptions)" -gt 0
check 'interrupt: main() came on all the same' test "$(figure numbers)" -gt 1000
check 'interrupt: no critical section was broken' is 0 "$(figure 'torn sections')"
check 'interrupt: leaves nothing' nothing_left

httpd_fails() { $httpd "$@" >$log 2>&1; is "$expected" $? && grep -q "$said" $log; }
expected=1 said='cannot serve /nowhere: No such file'
check 'no root' httpd_fails --root /nowhere
expected=64 said='is a number from 0 to 65535'
check 'no port' httpd_fails --port 123456
expected=64 said='is not an IPv4 or IPv6 address'
check 'no address' httpd_fails --address nowhere
start
expected=1 said='cannot listen on port 8080: Address.* in use'
check 'a port that is taken' httpd_fails --port $port
check 'ends when told to' stop
check 'all modules unload' unload
expected=1 said='modprobe'
check 'without modules it says what to do' httpd_fails --port $port
finish
