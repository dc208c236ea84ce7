# an event that finds no memory stays counted
# file: aem-core/event.c
# kernel: debug
# tests: fail_nth
/if (!ev) {/,/}/{
	/uncharge(caller->proc);/d
}
