// SPDX-License-Identifier: GPL-2.0
/*
 * Brings the kernel into the trouble that its parameter names, at once when loaded: what the
 * guest runner must notice, and tell apart.
 */
#include <linux/compiler.h>
#include <linux/delay.h>
#include <linux/irqflags.h>
#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/refcount.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/string.h>

static char *mode = "none";
module_param(mode, charp, 0444);
MODULE_PARM_DESC(mode, "none, fail, panic, oops, bug, warn, refcount, log, hang, spin, block or atomic");

static void do_panic(void)
{
	panic("aem-crash: asked for");
}

static void do_oops(void)
{
	int *nowhere = NULL;

	OPTIMIZER_HIDE_VAR(nowhere);
	*nowhere = 1;
}

static void do_bug(void)
{
	BUG();
}

static void do_warn(void)
{
	WARN(1, "aem-crash: asked for\n");
}

static void do_refcount(void)
{
	refcount_t count = REFCOUNT_INIT(1);

	refcount_dec(&count);
}

/* A splat that panics nowhere, as lockdep's: it is only in the log. */
static void do_log(void)
{
	pr_warn("WARNING: possible circular locking dependency detected\n");
}

static void do_hang(void)
{
	local_irq_disable();
	for (;;)
		cpu_relax();
}

static void do_spin(void)
{
	preempt_disable();
	for (;;)
		cpu_relax();
}

static void do_block(void)
{
	for (;;) {
		set_current_state(TASK_UNINTERRUPTIBLE);
		schedule();
	}
}

static void do_atomic(void)
{
	static DEFINE_SPINLOCK(lock);

	spin_lock(&lock);
	msleep(20);
	spin_unlock(&lock);
}

static const struct {
	const char *name;
	void (*enter)(void);
} troubles[] = {
	{ "panic", do_panic },
	{ "oops", do_oops },
	{ "bug", do_bug },
	{ "warn", do_warn },
	{ "refcount", do_refcount },
	{ "log", do_log },
	{ "hang", do_hang },
	{ "spin", do_spin },
	{ "block", do_block },
	{ "atomic", do_atomic },
};

static int __init aem_crash_init(void)
{
	int i;

	if (!strcmp(mode, "none"))
		return 0;
	for (i = 0; i < ARRAY_SIZE(troubles); i++) {
		if (strcmp(mode, troubles[i].name))
			continue;
		troubles[i].enter();
		return 0;
	}
	return -EINVAL;
}
module_init(aem_crash_init);

static void __exit aem_crash_exit(void)
{
}
module_exit(aem_crash_exit);

MODULE_DESCRIPTION("Trouble on demand, to test the guest runner");
MODULE_AUTHOR("The AEM authors");
MODULE_LICENSE("GPL");
