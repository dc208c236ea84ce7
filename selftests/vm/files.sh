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

run() # NAME
{
	vm --load none --file "$tmp/$1:/opt/$1" -- "/opt/$1"
}

run d64
check 'a dynamic program and its libraries' printed 64
run d32
check 'a dynamic 32-bit program and its libraries' printed 32
run s64
check 'a static program' printed 64
run p64
check 'a static position-independent program' printed 64
vm --load none -- "$tmp/d64"
check 'the command itself comes along' printed 64

mkdir -p "$tmp/tree/sub"
cp "$tmp/d32" "$tmp/tree/sub/prog"
ln -s prog "$tmp/tree/sub/link"
# shellcheck disable=SC2016 # for the guest's shell
printf '%s\n' '#!/bin/bash' 'echo "${BASH_VERSION:+bash} $0"' >"$tmp/tree/script"
chmod +x "$tmp/tree/script"
vm --load none --file "$tmp/tree:/tree" -- sh -c '/tree/sub/link; /tree/script; ls -1 /tree'
check 'a directory, whole, with links and interpreters' printed '32
bash /tree/script
script
sub'
vm --load none --file COPYING -- sh -c 'pwd; test -s /aem/COPYING && echo COPYING'
check 'relative paths are below /aem' printed '/aem
COPYING'

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
