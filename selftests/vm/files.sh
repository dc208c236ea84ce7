#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Files come along with all that they need, and one that is missing is said so.
. selftests/lib/vm.sh
plan 11

hello() # NAME FLAG...: a program that says how many bits it has
{
	local name=$1
	shift
	echo 'int puts(const char *); int main(void) { puts(sizeof(void *) == 8 ? "64" : "32"); }' |
		gcc -x c "$@" -o "$tmp/$name" -
}

hello d64
hello d32 -m32
hello s64 -static
hello p64 -static-pie -fPIE

mkdir -p "$tmp/tree/sub"
cp "$tmp/d32" "$tmp/tree/sub/prog"
ln -s prog "$tmp/tree/sub/link"
# shellcheck disable=SC2016 # for the guest's shell
printf '%s\n' '#!/bin/bash' 'echo "${BASH_VERSION:+bash} $0"' >"$tmp/tree/script"
chmod +x "$tmp/tree/script"

# shellcheck disable=SC2016 # for the guest's shell
vm --load none --file "$tmp/d64:/opt/d64" --file "$tmp/d32:/opt/d32" --file "$tmp/s64:/opt/s64" \
	--file "$tmp/p64:/opt/p64" --file "$tmp/tree:/tree" --file COPYING -- \
	sh -c 'for bits in d64 d32 s64 p64; do echo "$bits: $(/opt/$bits)"; done
	/tree/sub/link; /tree/script; ls -1 /tree; pwd; test -s /aem/COPYING && echo COPYING'
mv "$tmp/out" "$tmp/all"

# lines LINE...: these stand there one after the other.
lines()
{
	printf '%s\n' "$@" >"$tmp/expected"
	grep -xF -m 1 -A $(($# - 1)) -e "$1" "$tmp/all" | cmp -s - "$tmp/expected" && return
	sed 's/^/# /' "$tmp/all" "$tmp/err"
	return 1
}

check 'a dynamic program and its libraries' lines 'd64: 64'
check 'a dynamic 32-bit program and its libraries' lines 'd32: 32'
check 'a static program' lines 's64: 64'
check 'a static position-independent program' lines 'p64: 64'
check 'a directory, whole, with links and interpreters' lines 32 'bash /tree/script' script sub
check 'relative paths are below /aem' lines /aem COPYING

vm --load none -- "$tmp/d64"
check 'the command itself comes along' printed 64

vm --load none --file "$tmp/none" -- true
check 'a missing file' said 240 'no file .*/none'
echo 'int f(void) { return 0; }' | gcc -x c -shared -fPIC -o "$tmp/libgone.so" -
echo 'int f(void); int main(void) { return f(); }' |
	gcc -x c -o "$tmp/needy" - -x none -L "$tmp" -lgone
vm --load none --file "$tmp/needy" -- true
check 'a missing library' said 240 'needy lacks a library .*libgone.so'
LD_LIBRARY_PATH=$tmp vm --load none -- "$tmp/needy"
check 'a library found by LD_LIBRARY_PATH comes along' test "$status" = 0
vm --no-such-option -- true
check 'wrong usage' said 240 'no-such-option'
finish
