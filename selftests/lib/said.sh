# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# What a command prints, in test scripts.

# is EXPECTED COMMAND...: that is what it prints
is()
{
	expected=$1
	shift
	actual=$("$@" 2>&1)
	[ "$actual" = "$expected" ] && return
	echo "# $*: expected \"$expected\", actual \"$actual\""
	return 1
}

# says WORDS STATUS COMMAND...: its status, and words among what it prints
says()
{
	words=$1 expected=$2
	shift 2
	"$@" >/tmp/said 2>&1
	status=$?
	[ $status = "$expected" ] && grep -q "$words" /tmp/said && return
	echo "# $*: status $status"
	sed 's/^/# /' /tmp/said
	return 1
}
