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
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/timer.h>

static char *mode = "none";
module_param(mode, charp, 0444);
MODULE_PARM_DESC(mode, "none, fail, panic, oops, bug, warn, refcount, log, hang, spin, block or atomic; "
		 "with a debug kernel freed, beyond, leak, locks, sleep, rcu, shift or object");

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

/* What only a debug kernel sees. */
static void do_freed(void)
{
	int *memory = kmalloc(sizeof(*memory), GFP_KERNEL);

	kfree(memory);
	OPTIMIZER_HIDE_VAR(memory);
	WRITE_ONCE(*memory, 1);
}

static void do_beyond(void)
{
	char *memory = kmalloc(24, GFP_KERNEL);

	OPTIMIZER_HIDE_VAR(memory);
	WRITE_ONCE(memory[24], 1);
	kfree(memory);
}

static void do_leak(void)
{
	void *memory;
	int i;

	for (i = 0; i < 16; i++) {
		memory = kmalloc(200, GFP_KERNEL);
		OPTIMIZER_HIDE_VAR(memory);
	}
}

/* Nobody waits here; but two threads could, for each other. */
static void do_locks(void)
{
	static DEFINE_MUTEX(one);
	static DEFINE_MUTEX(other);

	mutex_lock(&one);
	mutex_lock(&other);
	mutex_unlock(&other);
	mutex_unlock(&one);
	mutex_lock(&other);
	mutex_lock(&one);
	mutex_unlock(&one);
	mutex_unlock(&other);
}

/* An allocation that might sleep, and does not. */
static void do_sleep(void)
{
	static DEFINE_SPINLOCK(lock);

	spin_lock(&lock);
	kfree(kmalloc(8, GFP_KERNEL));
	spin_unlock(&lock);
}

static void do_rcu(void)
{
	static int __rcu *nothing;

	if (rcu_dereference(nothing))
		pr_info("something\n");
}

static void do_shift(void)
{
	unsigned int count = 32;

	OPTIMIZER_HIDE_VAR(count);
	pr_info("%x\n", 1U << count);
}

static void never(struct timer_list *timer)
{
}

static void do_object(void)
{
	struct timer_list *timer = kmalloc(sizeof(*timer), GFP_KERNEL);

	if (!timer)
		return;
	timer_setup(timer, never, 0);
	mod_timer(timer, jiffies + 1000 * HZ);
	kfree(timer);
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
	{ "freed", do_freed },
	{ "beyond", do_beyond },
	{ "leak", do_leak },
	{ "locks", do_locks },
	{ "sleep", do_sleep },
	{ "rcu", do_rcu },
	{ "shift", do_shift },
	{ "object", do_object },
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
