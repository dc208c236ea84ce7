#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# aemwatch: what happens to files and trees, as lines and as JSON.
# vm: timeout=300 load=core,timer,pexit,fd files=/usr/bin/flock
# shellcheck disable=SC2016 # for the shells that are watched
. selftests/lib/ktap.sh

plan 24

watch=build/tools/aemwatch
out=/tmp/out
dir=/tmp/watched

shown() { grep -qE "$1" "$out" || { sed 's/^/# /' "$out"; false; }; }
lines() { [ "$(grep -cE "$1" "$out")" = "$2" ] || { sed 's/^/# /' "$out"; false; }; }
refused() { timeout 30 "$watch" "$@" >"$out" 2>&1; [ $? = 2 ]; }

fresh()
{
	rm -rf $dir
	mkdir -p $dir/one $dir/two
	cd $dir || exit
}

# OPTION... -- SCRIPT: what happens while a shell runs it
told()
{
	top=$OLDPWD
	timeout 60 "$top/$watch" "$@" >$out 2>&1
	status=$?
	cd "$top" || exit
}

# A kernel without probes does not know which attribute it was, nor what was there before.
changed() # WITH_PROBES WITHOUT
{
	if [ -d /sys/kernel/debug/kprobes ]; then shown "$1"; else shown "$2"; fi
}

fresh
told -F one -F two -- sh -c ': >one/a; chmod 600 one/a; chown 7:8 one/a; mv one/a two/b; rm two/b; exit 3'
check 'files are watched until the command has ended' [ $status = 0 ]
check 'that is told, too' shown ' end .*\(sh\) .* exit 3 '
pid=$(sed -n 's/.* end  *\([0-9]*\) (sh).*/\1/p' $out)
check 'a new file has its name, and who made it' shown " create one/a pid $pid uid 0\$"
check 'a mode is told with the one before' changed ' mode one/a pid .* mode 0600 was 0644$' \
	' mode,owner,attr,xattr one/a unsure pid .* mode 0600 '
check 'likewise an owner' changed ' owner one/a pid .* owner 7:8 was 0:0$' \
	' mode,owner,attr,xattr one/a unsure pid .* owner 7:8$'
check 'a rename between two directories is one line' lines ' rename one/a -> two/b pid ' 1
check 'a name that is removed is told' lines ' delete two/b pid ' 1

fresh
told -F one -k lock,unlock -- sh -c ': >one/a; exec 9<>one/a; /usr/bin/flock 9; /usr/bin/flock -u 9; /usr/bin/flock -s 9'
check 'a lock has its kind and range' shown ' lock one/a pid .* flock write 0-$'
check 'so has one that others can share' shown ' lock one/a pid .* flock read 0-$'
check 'nothing else is told' lines ' (create|modify|open) ' 0

fresh
told -F one -k names -p '*.c' -- sh -c ': >one/a.c; : >one/a.h'
check 'a pattern chooses names' lines ' create ' 1

fresh
told -F one -k all -a $$ -- sh -c ': >one/a'
check 'only an actor is told of' lines ' one/a' 0

fresh
told -r . -- sh -c 'mkdir -p one/x/y; : >one/x/y/z; mv one/x two/w; : >two/w/y/v; mkdir three'
check 'what is made in a new directory is told' shown ' create \./one/x/y/z pid '
check 'a directory is renamed as one' lines ' rename \./one/x -> \./two/w directory pid ' 1
check 'what comes into it has its new path' shown ' create \./two/w/y/v pid '

fresh
mkdir -p /tmp/elsewhere/below
told -r . -- sh -c 'mv /tmp/elsewhere one/in; sleep 1'
check 'what is moved into a tree comes from nowhere' shown ' rename \? -> \./one/in directory pid '
check 'what is in it is found' shown '^- found \./one/in/below directory$'

fresh
told -j -F one -- sh -c ': >one/a; mv one/a "$(printf "one/b\\nc")"; chmod 640 one/b*'
check 'JSON has both names of a rename' \
	shown '"kinds":\["rename"\].*"path":"one/a","path2":"one/b\\\\012c"'
check 'JSON has modes and owners' changed '"kinds":\["mode"\].*"mode":"0640".*"old_mode":"0644"' \
	'"kinds":\["mode","owner","attr","xattr"\].*"unsure":true.*"mode":"0640"'
check 'JSON is an object a line' lines '^\{.*\}$' "$(wc -l <$out)"

fresh
told -R 1024 -r . -- sh -c 'kill -STOP $PPID; for i in $(seq 64); do : >one/$i; done; kill -CONT $PPID; sleep 2'
check 'what is lost is counted' shown '^lost [0-9]+$'
check 'and found by looking anew' shown '^- found \./one/64$'

fresh
: >one/a
"$OLDPWD/$watch" -F one/a >$out 2>&1 &
i=0
while ! grep -q ' mode[^ ]* one/a ' $out && [ $((i += 1)) -lt 300 ]; do
	chmod 600 one/a
	sleep 0.1
done
rm one/a
wait $!
check 'a file is watched until it is no more' [ $? = 0 ]
cd "$OLDPWD" || exit
check 'what does not go together is refused' refused -p '*.c' -r /tmp
finish
