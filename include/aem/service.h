/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The contract with authors of services.
 *
 * A service is a module with a table of pseudo-system calls:
 *
 *	static const struct aem_call_op calls[] = {
 *		AEM_CALL_OP(0, struct aem_foo_create, pad, foo_create, &foo_events),
 *	};
 *	static struct aem_service foo = {
 *		.name = "foo", .version = 1, .owner = THIS_MODULE,
 *		.calls = calls, .n_calls = ARRAY_SIZE(calls),
 *		.event_size = sizeof(struct foo_event),
 *	};
 *	aem_service_module(foo);
 */
#ifndef _AEM_SERVICE_H
#define _AEM_SERVICE_H

#include <linux/module.h>
#include <linux/stddef.h>
#include <aem/event.h>

/** AEM_CALL_ARG_MAX: Bytes of the largest argument struct of a call. */
#define AEM_CALL_ARG_MAX	192

/** AEM_SERVICE_BUILT_AS() - a service's version, unless it is built as another. */
#ifdef BUILT_AS_VERSION
#define AEM_SERVICE_BUILT_AS(_version)	BUILT_AS_VERSION
#else
#define AEM_SERVICE_BUILT_AS(_version)	(_version)
#endif

/**
 * struct aem_call_op - a pseudo-system call
 * @name:     for traces and aemctl
 * @size:     of its argument struct, which begins with __u32 size
 * @min_size: smallest size of it that is accepted
 * @out:      offset of the first byte that the call may change, a multiple of 8; @size: it
 *            changes nothing
 * @execute:  the call. @arg is the struct in kernel memory, @size bytes, what the
 *            user's shorter one lacked zeroed; from @out on it is copied back on success.
 *            Returns a result >= 0 or -errno. Runs in process context under the
 *            service's reader lock: may sleep for memory and locks, never for
 *            events
 * @events:   what events registered by this call do; NULL: it registers none. Its argument
 *            holds the struct aem_registration at AEM_REGISTRATION
 */
struct aem_call_op {
	const char *name;
	u16 size;
	u16 min_size;
	u16 out;
	long (*execute)(const struct aem_caller *caller, void *arg);
	const struct aem_event_ops *events;
};

/**
 * AEM_REGISTRATION: Where the argument of a registering call holds its struct aem_registration:
 * right behind its size and 32 bits of its own. The core ends an event whose id it could not tell.
 */
#define AEM_REGISTRATION	8

/**
 * AEM_CALL_OP() - an element of a table of calls
 * @_nr:      the call's number in its range
 * @_struct:  type of its argument
 * @_last:    last field that every version of @_struct has
 * @_execute: the call
 * @_events:  what events registered by it do; NULL: it registers none
 *
 * Further fields, such as .out, may follow.
 */
#define AEM_CALL_OP(_nr, _struct, _last, _execute, _events, ...)	\
	[_nr] = {							\
		.name = #_execute,					\
		.size = sizeof(_struct),				\
		.min_size = offsetofend(_struct, _last),		\
		.execute = _execute,					\
		.events = _events,					\
		__VA_ARGS__						\
	}

/**
 * struct aem_service - what a module offers
 * @name:       shorter than AEM_NAME_MAX, [a-z0-9_-]
 * @version:    from 1
 * @owner:      THIS_MODULE
 * @calls:      its pseudo-system calls, at most AEM_RANGE_CALLS
 * @n_calls:    how many
 * @event_size: bytes of the private part of its events; a later version's may not be bigger
 * @layout:     version of the layout of the private part, from 1; 0: it cannot be swapped
 * @oldest_layout: oldest one that its events can yield in and adopt
 * @range:      the core's: numbers by which new contexts are bound; NULL: it is retired
 * @cache:      the core's: of its events
 * @events:     the core's: how many it serves
 * @link:       the core's: in the registry
 *
 * What the author fills in is constant while registered.
 *
 * Versions of one name are compatible upwards: a newer one has the calls of the older, by the
 * same numbers, with structs that at most grew at their ends. What cannot be served so
 * needs another name.
 */
struct aem_service {
	const char *name;
	u32 version;
	struct module *owner;
	const struct aem_call_op *calls;
	unsigned int n_calls;
	size_t event_size;
	u32 layout;
	u32 oldest_layout;
	struct aem_range *range;
	struct kmem_cache *cache;
	atomic_t events;
	struct list_head link;
};

/**
 * aem_service_register() - offer a service
 * @service: stays valid until aem_service_unregister()
 *
 * Return: 0; -EEXIST: this name and version is there already; -EINVAL;
 * -ENOSPC: no range is free; -ENOMEM.
 */
int aem_service_register(struct aem_service *service);

/**
 * aem_service_unregister() - take it back
 * @service: registered
 *
 * For the module's exit: a bound process holds a reference on the module, so nobody is
 * bound any more. When it returns none of the service's code runs or will.
 */
void aem_service_unregister(struct aem_service *service);

/**
 * struct aem_layer - what sits above a service, and sees its calls and activations first
 * @name:     of the service: all its versions, those that come later too
 * @call:     a pseudo-system call is about to be made. 0: it is; -errno: the caller gets that, and
 *            the service does not hear of it. @call counts from the range's base; @arg is as for
 *            aem_call_op.execute, and stays as it is. Once for each call; not asked after the
 *            service was revoked. In process context; may sleep for memory and locks, not for
 *            long. NULL: all are made
 * @activate: an event of the service was found true. true: it is activated; false: this
 *            occurrence counts as if the event were stopped: no record tells of it. What a source
 *            shows only once, such as a timer's expiry, has then passed, and a timer runs again
 *            when it is set or started. The private part is the service's own. Called as a job is:
 *            in any context, hard interrupts included: bounded, no allocation, no sleep, no
 *            sleeping lock. The last record of a revocation is none of its affairs. NULL: all
 *            are activated
 * @link:     the core's
 *
 * It does not hold the service: that may be loaded, swapped, retired, revoked and unloaded
 * under it.
 */
struct aem_layer {
	const char *name;
	int (*call)(const struct aem_caller *caller, u32 call, const void *arg);
	bool (*activate)(struct event_struct *ev);
	struct list_head link;
};

/**
 * aem_layer_register() - sit above a service, whether it is there or not
 * @layer: stays valid until aem_layer_unregister()
 *
 * Events and contexts that are there already are seen from now on.
 *
 * Return: 0; -EBUSY: another sits there; -EINVAL: that is not the name of a service.
 */
int aem_layer_register(struct aem_layer *layer);

/**
 * aem_layer_unregister() - go away
 * @layer: registered
 *
 * When it returns none of the layer's code runs or will, and everything is as if it had never been
 * there. Calls that it let pass are not waited for.
 */
void aem_layer_unregister(struct aem_layer *layer);

/** aem_service_module() - the init and exit of a module that is one service. */
#define aem_service_module(_service)					\
	static int __init _service##_init(void)				\
	{								\
		return aem_service_register(&(_service));		\
	}								\
	module_init(_service##_init);					\
	static void __exit _service##_exit(void)			\
	{								\
		aem_service_unregister(&(_service));			\
	}								\
	module_exit(_service##_exit)

#endif /* _AEM_SERVICE_H */
