// SPDX-License-Identifier: GPL-2.0
/*
 * aem-fd-marks: what looks at files, for all versions of the service "fd".
 *
 * A file changes but once. If each version had marks and probes of its own, a change that came
 * between the one letting go of a file and the other taking it would be told by neither, or by
 * both. So the activation points are here, as timers and wait queues are the core's.
 */
#include "fd.h"

static int __init aem_fd_marks_module_init(void)
{
	int err;

	/* The longest note finds room in the smallest queue. */
	BUILD_BUG_ON(sizeof(struct aem_fd_note) + 2 * (NAME_MAX + 1) + 8 > AEM_FD_ROOM_MIN);
	BUILD_BUG_ON(sizeof(struct aem_fd_note) % 8);
	err = aem_fd_mark_init();
	if (err)
		return err;
	aem_fd_change_init();
	aem_fd_lock_init();
	return 0;
}
module_init(aem_fd_marks_module_init);

static void __exit aem_fd_marks_module_exit(void)
{
	aem_fd_await_end();
	aem_fd_lock_exit();
	aem_fd_change_exit();
	aem_fd_mark_exit();
}
module_exit(aem_fd_marks_module_exit);

MODULE_DESCRIPTION("Watched files for the Asynchronous Event Mechanism");
MODULE_AUTHOR("The AEM authors");
MODULE_LICENSE("GPL");
