/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tracepoints of the kernel as activation points. They are found by name, since their symbols are
 * not for modules. They call with preemption off, and newer kernels do not even that.
 */
#ifndef _AEM_PROBE_H
#define _AEM_PROBE_H

#include <linux/errno.h>
#include <linux/string.h>
#include <linux/tracepoint.h>

/**
 * struct aem_probe - a tracepoint that a service attaches to
 * @name:  its name
 * @call:  what it calls
 * @point: the tracepoint, once it is found
 */
struct aem_probe {
	const char *name;
	void *call;
	struct tracepoint *point;
};

/** struct aem_probes - several of them */
struct aem_probes {
	struct aem_probe *probes;
	int n;
};

static inline void aem_probes_look(struct tracepoint *point, void *data)
{
	const struct aem_probes *all = data;
	int i;

	for (i = 0; i < all->n; i++)
		if (!strcmp(point->name, all->probes[i].name))
			all->probes[i].point = point;
}

/** aem_probes_detach() - no probe of the first @n runs any more. May sleep. */
static inline void aem_probes_detach(struct aem_probe *probes, int n)
{
	while (n--)
		tracepoint_probe_unregister(probes[n].point, probes[n].call, NULL);
	tracepoint_synchronize_unregister();
}

/**
 * aem_probes_attach() - from now on the tracepoints call
 * @probes: names and calls
 * @n:      how many
 *
 * Return: 0; -EOPNOTSUPP: this kernel lacks one, whose @point is NULL; -ENOMEM.
 */
static inline int aem_probes_attach(struct aem_probe *probes, int n)
{
	struct aem_probes all = { probes, n };
	int i, err;

	for_each_kernel_tracepoint(aem_probes_look, &all);
	for (i = 0; i < n; i++) {
		err = -EOPNOTSUPP;
		if (probes[i].point)
			err = tracepoint_probe_register(probes[i].point, probes[i].call, NULL);
		if (err) {
			aem_probes_detach(probes, i);
			return err;
		}
	}
	return 0;
}

#endif /* _AEM_PROBE_H */
