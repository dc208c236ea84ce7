#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Kernels that AEM is not built for are refused with a sentence, before anything is compiled.
. selftests/lib/vm.sh
plan 6

# headers NAME VERSION PATCHLEVEL SUBLEVEL: of a kernel that there is not
headers()
{
	local generated=$tmp/$1/include/generated

	mkdir -p "$generated/uapi/linux"
	echo "#define UTS_RELEASE \"$2.$3.$4-fake\"" >"$generated/utsrelease.h"
	printf '#define %s\n' "LINUX_VERSION_CODE $((($2 << 16) + ($3 << 8) + $4))" \
		'KERNEL_VERSION(a, b, c) (((a) << 16) + ((b) << 8) + (c))' >"$generated/uapi/linux/version.h"
}

# refused SENTENCE VARIABLE...: make says so, and nothing else than that it failed
refused()
{
	local sentence=$1

	shift
	! make modules BUILD="$tmp/build" "$@" >"$tmp/out" 2>"$tmp/err" &&
		[ ! -s "$tmp/out" ] && [ "$(grep -vc '^make' "$tmp/err")" = 1 ] &&
		grep -q "$sentence" "$tmp/err" && return
	sed 's/^/# /' "$tmp/out" "$tmp/err"
	return 1
}

headers old 6 0 19
headers new 8 0 0
headers broken 6 1 0
rm "$tmp/broken/include/generated/uapi/linux/version.h"

check 'a kernel that is not listed' refused "no kernel '5.4': choose of: 6.1 " KERNEL=5.4
check 'headers that are not there' refused '/nonsense holds no kernel headers' KDIR=/nonsense
check 'an old kernel' refused '^modules: 6.0.19-fake: AEM needs a kernel of 6.1 or newer$' KDIR="$tmp/old"
check 'a new kernel' refused '^modules: 8.0.0-fake: AEM was not tested on .* newer than 7.x' KDIR="$tmp/new"
check 'broken headers' refused "^modules: $tmp/broken holds no kernel headers$" KDIR="$tmp/broken"
check 'nothing was built' test ! -e "$tmp/build"
finish
