/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory that the kernel and a process both reach. Knows nothing of events.
 */
#ifndef _AEM_VMTABLE_H
#define _AEM_VMTABLE_H

#include <linux/types.h>

struct aem_process;

/** AEM_BLOCK_MAX: The largest block, and the size of a physically contiguous chunk. */
#define AEM_BLOCK_MAX	65536U

/**
 * struct aem_block - a block of a process's vmtable
 * @address: where the kernel reaches it; NULL: no block
 * @offset:  from the start of the process's zone, which is how records name it
 * @size:    bytes that it really holds, a power of two
 *
 * A plain value, owned by whoever holds it. The process can write the memory at any
 * time: read anything in it once, and check the copy.
 */
struct aem_block {
	void *address;
	u32 offset;
	u32 size;
};

/**
 * aem_vmt_alloc() - take a block from a process's vmtable
 * @proc:  the process
 * @size:  bytes wanted, 1 to AEM_BLOCK_MAX
 * @block: filled on success
 *
 * Constant time when a block of that order is free, otherwise at most one step
 * per order; or free blocks are joined, some hundred at most, or pages are allocated
 * while the zone still grows. The memory is
 * not zeroed after its first use: it never held anything but this process's data.
 *
 * Context: process context, may sleep.
 * Return: 0; -ENOBUFS: the zone is full (a constructor passes it on, and the
 * event waits until blocks come back); -EINVAL: @size; -ENOMEM: the kernel is short of
 * pages (a constructor passes that on as well).
 */
int aem_vmt_alloc(struct aem_process *proc, size_t size,
		  struct aem_block *block);

/**
 * aem_vmt_alloc_some() - take as large a block as there is, for what can be told in parts
 * @proc:  the process
 * @size:  bytes wanted, 1 to AEM_BLOCK_MAX
 * @least: bytes that the first part needs, 1 to @size
 * @block: filled on success; its size says how much it is
 *
 * A zone whose free blocks are all small would keep a large one waiting for as long as the program
 * keeps those between them. So at shortage half of it is tried, and so on down to @least.
 *
 * Context: process context, may sleep.
 * Return: as aem_vmt_alloc(), of @least.
 */
int aem_vmt_alloc_some(struct aem_process *proc, size_t size, size_t least,
		       struct aem_block *block);

/**
 * aem_vmt_free() - give a block back
 * @proc:  the process
 * @block: from aem_vmt_alloc() or aem_vmt_alloc_some(); an empty one is ignored. Empty afterwards
 *
 * Events of the process that wait for memory are retried.
 *
 * Context: process context, may sleep.
 */
void aem_vmt_free(struct aem_process *proc, struct aem_block *block);

/**
 * aem_vmt_strdup() - copy a string into a new block
 * @proc:   the process
 * @string: NUL-terminated, less than AEM_BLOCK_MAX bytes
 * @block:  filled on success
 *
 * Context: process context, may sleep.
 * Return: as aem_vmt_alloc().
 */
int aem_vmt_strdup(struct aem_process *proc, const char *string,
		   struct aem_block *block);

#endif /* _AEM_VMTABLE_H */
