# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# For tests of aem-httpd in the guest: a directory to serve, a server, and questions to it.
# shellcheck disable=SC2086 # what has no blanks stays one word
. selftests/lib/ktap.sh

httpd=aem-httpd
client=build/selftests/helpers/http_client
www=/tmp/www
port=8080
url=http://127.0.0.1:$port
log=/tmp/httpd.log
mkdir -p $www

# start OPTION...: a server that is ready
start()
{
	: >$log
	$httpd --port $port --root $www "$@" >$log 2>&1 &
	server=$!
	tries=300
	until grep -q serving $log; do
		tries=$((tries - 1))
		if [ $tries = 0 ] || ! kill -0 $server 2>/dev/null; then
			sed 's/^/# /' $log
			echo 'Bail out! aem-httpd does not start'
			exit 1
		fi
		sleep 0.1
	done
}

# Its exit status.
stop()
{
	kill -TERM "$server"
	wait "$server"
	stopped=$?
	[ $stopped = 0 ] || sed 's/^/# /' $log
	return $stopped
}

# figure WORDS: what the server's summary says
figure() { sed -n "s/^$1  *\(-\{0,1\}[0-9]*\).*/\1/p" $log; }

# is EXPECTED ACTUAL
is()
{
	[ "$1" = "$2" ] && return
	echo "# expected \"$1\", actual \"$2\""
	return 1
}

# status CURL-ARGUMENT...: of the answer; its body is left in /tmp/body, its head in /tmp/head
status()
{
	rm -f /tmp/body /tmp/head
	curl -s -m 60 --path-as-is -o /tmp/body -D /tmp/head -w '%{http_code}' "$@"
}

# answers STATUS CURL-ARGUMENT...
answers()
{
	expected=$1
	shift
	is "$expected" "$(status "$@")"
}

# has NAME VALUE: a field of the last answer's head
has() { is "$2" "$(tr -d '\r' </tmp/head | sed -n "s/^$1: //p")"; }

# raw REQUEST [OPTION]...: what comes back for these bytes (printf), with these options of http_client;
# in /tmp/raw
raw()
{
	bytes=$1
	shift
	# shellcheck disable=SC2059 # the escapes are meant
	printf "$bytes" | $client "$@" $port >/tmp/raw
}

# first STATUS REQUEST [OPTION]...: the first answer to these bytes, after which the server closes
first()
{
	expected=$1
	shift
	raw "$@"
	is 0 $? && is "$expected" "$(sed -n '1s/HTTP\/1.1 \([0-9]*\).*/\1/p' /tmp/raw)"
}

alive() { answers 200 $url/index.html; }

# After the server has gone.
nothing_left()
{
	is '' "$(aemctl processes 2>/dev/null)" && is '' "$(aemctl events 2>/dev/null)" &&
		is '0 0' "$(aemctl services | awk '
			NR == 1 { for (i = 1; i <= NF; i++) column[$i] = i }
			NR > 1 { users += $column["USERS"]; events += $column["EVENTS"] }
			END { print users + 0, events + 0 }')"
}

unload()
{
	for module in aem_ip aem_timer aem_core; do
		rmmod $module || return
	done
}
