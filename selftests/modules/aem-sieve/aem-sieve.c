// SPDX-License-Identifier: GPL-2.0
/*
 * aem-sieve: a layer that counts what comes to the service below, and lets some of it not pass. For
 * tests, and to be looked at by who writes a layer: parameters say what to do, and tell the counts.
 */
#include <linux/atomic.h>
#include <linux/delay.h>
#include <linux/module.h>
#include <aem/service.h>

static char *service = "null";
module_param(service, charp, 0444);
MODULE_PARM_DESC(service, "name of the service to sit above");

static int refuse = -1;
module_param(refuse, int, 0644);
MODULE_PARM_DESC(refuse, "number of the call to refuse, by EACCES; -1: none");

static uint swallow;
module_param(swallow, uint, 0644);
MODULE_PARM_DESC(swallow, "of activations, swallow every so manieth; 0: none");

static uint delay;
module_param(delay, uint, 0644);
MODULE_PARM_DESC(delay, "milliseconds to think about each call");

/* Of both, since the module was loaded. */
static atomic_t calls, refused, activations, swallowed;

static int sieve_call(const struct aem_caller *caller, u32 call, const void *arg)
{
	atomic_inc(&calls);
	if (READ_ONCE(delay))
		msleep(delay);
	if (call != READ_ONCE(refuse))
		return 0;
	atomic_inc(&refused);
	return -EACCES;
}

static bool sieve_activate(struct event_struct *ev)
{
	uint every = READ_ONCE(swallow);
	uint n = atomic_inc_return(&activations);

	if (!every || n % every)
		return true;
	atomic_inc(&swallowed);
	return false;
}

static struct aem_layer sieve = {
	.call = sieve_call,
	.activate = sieve_activate,
};

static int get_count(char *buffer, const struct kernel_param *param)
{
	return sysfs_emit(buffer, "%d\n", atomic_read((atomic_t *)param->arg));
}

static const struct kernel_param_ops count_ops = { .get = get_count };

module_param_cb(calls, &count_ops, &calls, 0444);
MODULE_PARM_DESC(calls, "calls that it has seen");
module_param_cb(refused, &count_ops, &refused, 0444);
MODULE_PARM_DESC(refused, "of these, refused");
module_param_cb(activations, &count_ops, &activations, 0444);
MODULE_PARM_DESC(activations, "activations that it has seen");
module_param_cb(swallowed, &count_ops, &swallowed, 0444);
MODULE_PARM_DESC(swallowed, "of these, swallowed");

static int __init sieve_init(void)
{
	sieve.name = service;
	return aem_layer_register(&sieve);
}
module_init(sieve_init);

static void __exit sieve_exit(void)
{
	aem_layer_unregister(&sieve);
}
module_exit(sieve_exit);

MODULE_DESCRIPTION("AEM layer for tests");
MODULE_LICENSE("GPL");
