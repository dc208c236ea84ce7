# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# KTAP for test scripts, of the host and of the guest.
#
#	plan N
#	check WHAT COMMAND...	one result: ok if COMMAND succeeds
#	finish			last: exits as the results demand
#	rounds N		how often to do what is done many times: fewer on the debug kernel,
#				a quarter where the runner says AEM_BRIEF
#	seconds N		how long to go on with what takes its time: longer there, a third of it
#				where the runner says AEM_BRIEF
ktap_count=0
ktap_failed=0

plan()
{
	echo 'KTAP version 1'
	echo "1..$1"
}

result() # WORDS WHAT
{
	ktap_count=$((ktap_count + 1))
	echo "$1 $ktap_count $2"
}

check()
{
	ktap_what=$1
	shift
	if "$@"; then
		result ok "$ktap_what"
	else
		result 'not ok' "$ktap_what"
		ktap_failed=$((ktap_failed + 1))
	fi
}

is_slow()
{
	case $(uname -r) in
	*-aem-debug-*) ;;
	*) return 1 ;;
	esac
}

rounds() { if is_slow; then echo $(($1 / 8)); elif [ -n "$AEM_BRIEF" ]; then echo $((($1 + 3) / 4)); else echo "$1"; fi; }
seconds() { if is_slow; then echo $(($1 * 4)); elif [ -n "$AEM_BRIEF" ]; then echo $((($1 + 2) / 3)); else echo "$1"; fi; }

finish()
{
	[ $ktap_failed = 0 ]
	exit
}
