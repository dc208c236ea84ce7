# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034 # used where this is sourced
# What the tests of the guest runner share: run it, and look at its status and what it said.
. selftests/lib/ktap.sh
AEM_VM=${AEM_VM:-tools/vm/aem-vm}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
crash='insmod /lib/modules/*/extra/aem-crash.ko'

# vm ARGUMENT...: runs a guest; sets $status, and leaves $tmp/out and $tmp/err.
vm()
{
	"$AEM_VM" "$@" >"$tmp/out" 2>"$tmp/err" </dev/null
	status=$?
}

# said STATUS PATTERN: that was its status, and its sentence matches.
said()
{
	if [ "$status" = "$1" ] && grep -qE "^aem-vm: .*$2" "$tmp/err"; then
		return 0
	fi
	echo "# status $status instead of $1, or no sentence like: $2"
	sed 's/^/# /' "$tmp/err"
	return 1
}

# printed TEXT: exactly that arrived on standard output.
printed()
{
	printf '%s\n' "$1" | cmp -s - "$tmp/out" || { sed 's/^/# /' "$tmp/out" "$tmp/err"; return 1; }
}
