#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What README.md says is true: its program compiles and runs just as printed, what it names is there.
# shellcheck disable=SC2016 # backquotes are what is looked for
. selftests/lib/vm.sh
plan 8
build=${AEM_BUILD:-build}
unset MAKEFLAGS MAKELEVEL

install_library()
{
	make -s BUILD="$build" DESTDIR="$tmp/root" install-libaem install-packaging >"$tmp/make" 2>&1 && return
	sed 's/^/# /' "$tmp/make"
	return 1
}

extract() { sed -n '/^```c$/,/^```$/p' README.md | grep -v '^```' >"$tmp/ticks.c" && [ -s "$tmp/ticks.c" ]; }

is_short() { [ "$(wc -l <"$tmp/ticks.c")" -le 32 ]; }

# The line that the README gives, as far as "&&", against the installed library.
compile()
{
	local line

	line=$(sed -n 's/^    \(gcc ticks\.c .*\) && .*$/\1/p' README.md)
	export PKG_CONFIG_SYSROOT_DIR=$tmp/root PKG_CONFIG_LIBDIR=$tmp/root/usr/local/lib/pkgconfig
	[ -n "$line" ] && (cd "$tmp" && eval "$line -Wall -Werror")
}

run_as() { LD_LIBRARY_PATH=$tmp/root/usr/local/lib vm --unload --user "$1" -- "$tmp/ticks"; }
ended() { [ "$status" = "$1" ] || { sed 's/^/# /' "$tmp/err"; return 1; }; }
all_ticks() { ended 0 && printed "$(ticks)"; }
told() { ended 1 && grep -q '^ticks: .*group' "$tmp/err"; }

ticks() { for i in 4 3 2 1 0; do echo "tick, $i to come"; done; }

# Paths in backquotes that have a slash inside or at their end, of this tree.
names_what_is_there()
{
	local path missing=''

	for path in $(grep -o '`[A-Za-z][A-Za-z./-]*`' README.md | tr -d '`' | grep /); do
		[ -e "$path" ] || missing+=" $path"
	done
	[ -z "$missing" ] || { echo "# not there:$missing"; return 1; }
}

makes_what_it_says()
{
	local target

	grep -oE '(^    |`|sudo )make [a-z]+' README.md | sed 's/.*make //' | sort -u >"$tmp/targets"
	while read -r target; do
		make -n -q BUILD="$build" "$target" >/dev/null 2>"$tmp/err" </dev/null
		! grep -q 'No rule' "$tmp/err" || { echo "# no target $target"; return 1; }
	done <"$tmp/targets"
	[ -s "$tmp/targets" ]
}

check 'the library installs' install_library
check 'a program is printed' extract
check 'it is short' is_short
check 'it compiles by the line that is printed' compile
run_as alice
check 'a member of the group runs it' all_ticks
run_as mallory
check 'another is told what to do' told
check 'what it names is there' names_what_is_there
check 'what it says to make can be made' makes_what_it_says
finish
