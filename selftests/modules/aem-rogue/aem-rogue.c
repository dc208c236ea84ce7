// SPDX-License-Identifier: GPL-2.0
/*
 * aem-rogue: a service that does what services must not do. See aem_rogue.h. It also takes
 * itself back twice.
 */
#include <linux/delay.h>
#include <linux/module.h>
#include <aem/service.h>
#include "aem_rogue.h"

static uint version = 1;
module_param(version, uint, 0444);
MODULE_PARM_DESC(version, "version of the service");

static int rogue_arm(struct event_struct *ev)
{
	const struct rogue_create *rogue = aem_event_private(ev);

	return rogue->arm;
}

static int rogue_construct(struct event_struct *ev, struct aem_delivery *d)
{
	const struct rogue_create *rogue = aem_event_private(ev);

	if (!rogue->never)
		return rogue->construct;
	aem_event_activate(ev);
	return -EAGAIN;
}

static int rogue_destruct(struct event_struct *ev, const struct aem_block *block)
{
	const struct rogue_create *rogue = aem_event_private(ev);

	return rogue->destruct;
}

static int rogue_yield(struct event_struct *ev, u32 layout)
{
	struct rogue_create *rogue = aem_event_private(ev);

	rogue->pad = version;
	return rogue->yield;
}

static int rogue_adopt(struct event_struct *ev, u32 layout)
{
	const struct rogue_create *rogue = aem_event_private(ev);

	return rogue->pad == version ? 0 : rogue->adopt;
}

static const struct aem_event_ops events = {
	.arm = rogue_arm,
	.construct = rogue_construct,
	.destruct = rogue_destruct,
	.yield = rogue_yield,
	.adopt = rogue_adopt,
};

static long rogue_create(const struct aem_caller *caller, void *argument)
{
	struct rogue_create *arg = argument;
	struct event_struct *ev = aem_event_create(caller, ROGUE_CREATE, &arg->reg);

	if (IS_ERR(ev))
		return PTR_ERR(ev);
	memcpy(aem_event_private(ev), arg, sizeof(*arg));
	return aem_event_commit(ev, NULL, &arg->reg.id);
}

static long rogue_sleep(const struct aem_caller *caller, void *argument)
{
	const struct rogue_do *arg = argument;

	msleep(clamp_t(s64, arg->value, 0, 5000));
	return 0;
}

static long rogue_answer(const struct aem_caller *caller, void *argument)
{
	const struct rogue_do *arg = argument;

	return arg->value;
}

static long rogue_fire(const struct aem_caller *caller, void *argument)
{
	const struct rogue_do *arg = argument;
	struct event_struct *ev = aem_event_find(caller, arg->id, -1);

	if (!ev)
		return -ENOENT;
	aem_event_activate(ev);
	aem_event_put(ev);
	return 0;
}

static const struct aem_call_op calls[] = {
	AEM_CALL_OP(ROGUE_CREATE, struct rogue_create, pad, rogue_create, &events),
	AEM_CALL_OP(ROGUE_SLEEP, struct rogue_do, value, rogue_sleep, NULL),
	AEM_CALL_OP(ROGUE_ANSWER, struct rogue_do, value, rogue_answer, NULL),
	AEM_CALL_OP(ROGUE_FIRE, struct rogue_do, value, rogue_fire, NULL),
};

static struct aem_service service = {
	.name = ROGUE_SERVICE,
	.owner = THIS_MODULE,
	.calls = calls,
	.n_calls = ARRAY_SIZE(calls),
	.event_size = sizeof(struct rogue_create),
	.layout = 1,
	.oldest_layout = 1,
};

static int __init rogue_init(void)
{
	service.version = version;
	return aem_service_register(&service);
}
module_init(rogue_init);

static void __exit rogue_exit(void)
{
	aem_service_unregister(&service);
	aem_service_unregister(&service);
}
module_exit(rogue_exit);

MODULE_DESCRIPTION("AEM service for tests that misbehaves");
MODULE_LICENSE("GPL");
