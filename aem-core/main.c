// SPDX-License-Identifier: GPL-2.0
/*
 * aem-core, the Asynchronous Event Mechanism.
 *
 *   device.c    /dev/aem: ioctls, mmap, poll        the way in
 *   process.c   what one open of it owns
 *   user.c      limits
 *   range.c     services and their call numbers     who serves
 *   layer.c     what sits above them
 *   manage.c    what the administrator does with them
 *   swap.c      another version takes over
 *   revoke.c    nobody does
 *   hold.c      what both need
 *   gate.c      the way into their code
 *   pool.c      caches of events
 *   enter.c     pseudo-system calls
 *   event.c     registrations                       what was asked for
 *   job.c       callbacks at activation points      what happens
 *   active.c    active lists, and who is told       when it runs
 *   doorbell.c  breaking a thread's flow: by signal
 *   redirect.c  ... and by redirected registers
 *   hint.c      its feeling for what is urgent
 *   realtime.c  ... and for what is very urgent
 *   booster.c   threads that lend it a priority
 *   ring.c      records for the process             with which arguments
 *   memory.c    memory shared with the process      where its data lives
 *   vmtable.c   the zone of blocks
 *   buddy.c     the allocator in it
 *   fdinfo.c    being watched
 */
#include <linux/module.h>
#include "device.h"
#include "process.h"
#include "realtime.h"
#include "redirect.h"

static int __init aem_init(void)
{
	int err = aem_process_init();

	if (err)
		return err;
	err = aem_realtime_start();
	if (err)
		goto no_realtime;
	aem_redirect_init();
	err = aem_device_init();
	if (err)
		goto no_device;
	return 0;
no_device:
	aem_redirect_exit();
	aem_realtime_stop();
no_realtime:
	aem_process_exit();
	return err;
}

static void __exit aem_exit(void)
{
	aem_device_exit();
	aem_process_exit();
	aem_realtime_stop();
	aem_redirect_exit();
}

module_init(aem_init);
module_exit(aem_exit);

MODULE_DESCRIPTION("Asynchronous Event Mechanism: core");
MODULE_AUTHOR("The AEM authors");
MODULE_LICENSE("GPL");
