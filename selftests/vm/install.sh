#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The library as others find it: installed, by its pkg-config file, from C and C++, static and
# shared; and its symbols are those that its headers declare, no more and no fewer.
. selftests/lib/vm.sh
plan 11

build=${AEM_BUILD:-build}
prefix=$tmp/usr
export PKG_CONFIG_PATH=$prefix/lib/pkgconfig

# Words of the headers, without comments, types and what is inline, that look like functions.
declared()
{
	for header in "$prefix"/include/aem/*.h; do
		gcc -fpreprocessed -dD -E -P "$header"
	done | grep -Ev '^(typedef|static inline)' | grep -o '\baem_[a-z_]*(' | tr -d '(' | sort -u
}

exported() { nm -D --defined-only "$prefix/lib/libaem.so" | awk '$2 == "T" {print $3}' | sed 's/@.*//' | sort -u; }

mapped() { grep -o '\baem_[a-z_]*;' libaem/libaem.map | tr -d ';' | sort; }

same() { diff <("$1") <("$2") | sed 's/^/# /'; return "${PIPESTATUS[0]}"; }

# Nothing in the archive can clash with a program's own names.
foreign() { ! nm "$prefix/lib/libaem.a" | awk 'NF == 3 && $2 ~ /[TDBRCVW]/ && $3 !~ /^aem_/' | grep .; }

compile() # COMPILER SOURCE OUTPUT FLAG...
{
	local compiler=$1 source=$2 output=$3
	shift 3
	# shellcheck disable=SC2046 # words
	"$compiler" -Wall -Wextra -Werror "$source" -o "$output" $(pkg-config --cflags --libs aem) "$@"
}

# hello ends after five seconds, by itself.
runs()
{
	LD_LIBRARY_PATH=$prefix/lib vm --build "$build" --load core,timer,ip -- "$1"
	printed 'tick 1
tick 2
tick 3
tick 4
tick 5'
}

cat >"$tmp/hello.cc" <<END
#include <aem/ip.h>
#include <aem/timer.h>
int main()
{
	struct aem *aem;
	return aem_open(&aem, nullptr) == 0 ? aem_close(aem) : 0;
}
END

check 'it installs' make -s install-libaem BUILD="$build" PREFIX="$prefix"
check 'version' test -n "$(pkg-config --modversion aem)"
check 'the map has what the headers declare' same declared mapped
check 'the shared library exports it' same declared exported
check 'the static library has no other names' foreign
check 'a man page for a call' grep -q '^.SH NAME' "$prefix/share/man/man3/aem_wait.3"
check 'C, shared' compile gcc tools/samples/hello.c "$tmp/shared"
check 'C, static' compile gcc tools/samples/hello.c "$tmp/static" -static
check 'C++' compile g++ "$tmp/hello.cc" "$tmp/hello-cc" -std=c++11 -Wpedantic
check 'shared runs' runs "$tmp/shared"
check 'static runs' runs "$tmp/static"
finish
