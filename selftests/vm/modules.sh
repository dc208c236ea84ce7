#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Modules load in their order, those for another kernel never, and failures are told.
. selftests/lib/vm.sh
plan 9

release=$(<"$(tools/build/kernel dir "${AEM_VM_KERNEL:-6.1}")/release")

vm --load none --modules ip6_udp_tunnel,udp_tunnel,vxlan,loop:max_loop=3 -- \
	sh -c 'ls -d /sys/module/vxlan; ls -1d /sys/block/loop*; grep -c crash /proc/modules'
check 'stock modules with what they need, and parameters' printed '/sys/module/vxlan
/sys/block/loop0
/sys/block/loop1
/sys/block/loop2
0'
vm --load crash --unload -- sh -c 'grep -o aem_crash /proc/modules'
check 'one of ours' printed aem_crash
# shellcheck disable=SC2016 # for the guest's shell
vm --load none -- sh -c 'modprobe aem-crash && grep -o aem_crash /proc/modules'
check 'modprobe finds it' printed aem_crash
vm --load crash:mode=fail -- echo reached
check 'its init fails' said 241 'aem-crash did not load: .*(nvalid|parameter)'
check 'the command did not run' test ! -s "$tmp/out"
vm --load nonesuch -- true
check 'there is no such module' said 240 "no module 'nonesuch'"
vm --load none --modules loop --unload -- sh -c 'sleep 1000 </dev/loop0 >/dev/null 2>&1 & sleep 1'
check 'a module in use does not unload' said 247 'loop did not unload'
vm --kernel 5.4 -- true
check 'an unknown kernel' said 240 'no kernel 5.4'

mkdir -p "$tmp/build/modules"
cp -r "${AEM_BUILD:-build}/modules/$release" "$tmp/build/modules/"
find "$tmp/build" -name '*.ko' -exec sed -i "s/vermagic=$release /vermagic=${release/6/5} /" {} +
vm --build "$tmp/build" --load crash -- true
check 'a module built for another kernel is refused, also from a copied directory' said 240 "$tmp/.* was built for"
finish
