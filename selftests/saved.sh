#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# aemctl save and restore: a program is killed, the core is unloaded and loaded, and the program takes
# its timers up again where they were.
# vm: load=core,timer timeout=240
# shellcheck shell=dash disable=SC2086 # what has no blanks stays one word
. selftests/lib/ktap.sh
. selftests/lib/said.sh

aemctl=build/tools/aemctl
keeper=build/selftests/helpers/keeper
extra=/lib/modules/$(uname -r)/extra
file=/tmp/registrations.json
# Of the timer that expires once: the core is exchanged before.
later=$(seconds 4)

# begin FILE ARGUMENT: a keeper that is ready
begin()
{
	$keeper $2 >$1 2>&1 &
	process=$!
	tries=300
	until grep -q ready $1; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || { sed 's/^/# /' $1; return 1; }
		sleep 0.1
	done
}

# told FILE TOKEN COUNT: so many records at least
told()
{
	tries=300
	until [ "$(grep -c "^token $2 " $1)" -ge $3 ]; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || { sed 's/^/# /' $1; return 1; }
		sleep 0.1
	done
}

end()
{
	kill -9 $process
	wait $process 2>/dev/null
	true
}

saves()
{
	begin /tmp/first "make $later" && told /tmp/first 1 3 &&
		says '3 registrations of 1 contexts saved' 0 $aemctl save $file $process && end &&
		[ "$(stat -c %a $file)" = 600 ]
}

the_core_is_exchanged()
{
	rmmod aem_timer && rmmod aem_core && insmod $extra/aem-core.ko && insmod $extra/aem-timer.ko &&
		chgrp aem /dev/aem && chmod 660 /dev/aem
}

restores() { cp $file /tmp/of-root && says '3 registrations laid out' 0 $aemctl restore $file; }

# The expiry that was next when it was saved.
saved_expiry()
{
	awk '/"token": *"0x1"/ { mine = 1 } mine && /"expiry"/ { gsub(/[^0-9]/, ""); print; exit }' $file
}

adopts() { begin /tmp/second adopt && told /tmp/second 1 3 && told /tmp/second 2 1; }

# From the saved one on, none is missing, and none came twice; awk counts in tenths of a second.
nothing_is_lost()
{
	awk -v from="$(saved_expiry)" '
		/^token 1 / { sum += 1 + $6; last = $4 }
		END { print "# saved", from, "last", last, "sum", sum
			exit from == "" || sprintf("%.0f", (last - from) / 1e8 + 1) != sum }' /tmp/second
}

# The one that expires once does so when it was to, and not twice. The first two were armed one after the other.
once()
{
	first=$(awk '/^token 1 / { print $4; exit }' /tmp/first)
	awk -v first="$first" -v later="$later" '/^token 2 / { n++; late = ($4 - first) / 1e9 }
		END { exit n != 1 || late < later - 1 || late > later * 1.125 }' /tmp/second && ! grep -q '^token 3' /tmp/second
}

taken_once()
{
	end
	$keeper adopt >/tmp/third 2>&1
	grep -q ENOENT /tmp/third
}

for_its_user_only()
{
	says '3 registrations laid out' 0 $aemctl restore $file || return
	su alice -c "$PWD/$keeper adopt" >/tmp/fourth 2>&1
	grep -q ENOENT /tmp/fourth && [ -e /run/aem/saved/0/timer.0x1 ]
}

# A user's own are laid out for that user, whoever does so.
another_user()
{
	su alice -c "$PWD/$keeper make" >/tmp/fifth 2>&1 &
	tries=300
	until grep -q ready /tmp/fifth; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || return 1
		sleep 0.1
	done
	says '3 registrations of 1 contexts saved' 0 $aemctl save $file && killall -9 keeper
	says '3 registrations laid out' 0 $aemctl restore $file &&
		[ "$(stat -c %U:%a /run/aem/saved/"$(id -u alice)")" = alice:700 ] &&
		[ ! -e /run/aem/saved/0/timer.0x1 ]
}

what_is_wrong()
{
	chmod 644 /tmp/of-root && says 'cannot read' 1 su alice -c "$PWD/$aemctl restore $file" &&
		says 'cannot make' 1 su alice -c "$PWD/$aemctl restore /tmp/of-root" &&
		says 'is not what' 1 $aemctl restore /proc/version || return
	echo '[{"uid":0,"service":"../../etc","token":"0x1","prio":1}]' >/tmp/evil
	says 'is not what' 1 $aemctl restore /tmp/evil && says 'aemctl save FILE' 64 $aemctl save &&
		says 'not the number' 64 $aemctl save $file x && says 'cannot look' 1 $aemctl save $file 999999
}

plan 10
check 'registrations are saved, for their owner to read' saves
check 'the core is unloaded and loaded' the_core_is_exchanged
check 'registrations are laid out' restores
check 'the program takes them up again' adopts
check 'no expiry is lost, and none is told twice' nothing_is_lost
check 'a timer that was to expire later does, once' once
check 'each is taken once' taken_once
check 'nobody takes those of another user' for_its_user_only
check 'those of a user are laid out for the user' another_user
check 'what cannot be done is said' what_is_wrong
finish
