// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that a context shares with its process: the control page, the ring, the zone of
 * the vmtable. Pages come into the process's page table as they are touched.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vmalloc.h>
#include <aem/compat/mm.h>
#include "active.h"
#include "memory.h"
#include "ring.h"

/**
 * aem_memory_init() - all the memory of a context
 * @proc:     not ready yet
 * @entries:  of the ring
 * @vmt_size: of the zone
 *
 * Return: 0 or -ENOMEM, and nothing is held.
 */
int aem_memory_init(struct aem_process *proc, u32 entries, u64 vmt_size)
{
	int err;

	proc->control = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!proc->control)
		return -ENOMEM;
	err = aem_ring_init(proc, entries) ?: aem_vmtable_init(&proc->vmt, vmt_size);
	if (err)
		aem_memory_destroy(proc);
	return err;
}

/** aem_memory_destroy() - undo aem_memory_init(), or what it did of it. */
void aem_memory_destroy(struct aem_process *proc)
{
	aem_vmtable_destroy(&proc->vmt);
	aem_ring_destroy(proc);
	free_page((unsigned long)proc->control);
	proc->control = NULL;
}

static struct aem_process *process_of(const struct vm_area_struct *vma)
{
	return vma->vm_file->private_data;
}

static vm_fault_t hand_out(struct vm_fault *vmf, struct page *page)
{
	if (!page)
		return VM_FAULT_SIGBUS;
	get_page(page);
	vmf->page = page;
	return 0;
}

static vm_fault_t control_fault(struct vm_fault *vmf)
{
	return hand_out(vmf, virt_to_page(process_of(vmf->vma)->control));
}

static vm_fault_t ring_fault(struct vm_fault *vmf)
{
	unsigned long offset = vmf->address - vmf->vma->vm_start;

	return hand_out(vmf, vmalloc_to_page((void *)process_of(vmf->vma)->ring +
					     (offset & PAGE_MASK)));
}

static vm_fault_t zone_fault(struct vm_fault *vmf)
{
	struct aem_vmtable *vmt = &process_of(vmf->vma)->vmt;

	vmf->page = aem_vmtable_page(vmt, vmf->pgoff - (AEM_MMAP_VMT >> PAGE_SHIFT));
	return vmf->page ? 0 : VM_FAULT_SIGBUS;
}

/*
 * madvise(MADV_DOFORK) undoes VM_DONTCOPY. What a child got by it does not keep the context, and
 * comes and goes under another mmap_lock than the one that @mappings is under.
 */
static bool counts(const struct vm_area_struct *vma)
{
	return vma->vm_mm == process_of(vma)->mm;
}

/* A mapping that is about to move, or that will not after all. */
static void control_open(struct vm_area_struct *vma)
{
	if (counts(vma))
		process_of(vma)->mappings++;
}

/* The address space that handlers are in goes, by exec, exit or munmap. */
static void control_close(struct vm_area_struct *vma)
{
	struct aem_process *proc = process_of(vma);

	if (counts(vma) && !--proc->mappings)
		aem_process_orphan(proc);
}

static int refuse_split(struct vm_area_struct *vma, unsigned long address)
{
	return -EINVAL;
}

static int refuse_move(struct vm_area_struct *vma)
{
	return -EINVAL;
}

static const struct vm_operations_struct control_ops = {
	.fault = control_fault,
	.open = control_open,
	.close = control_close,
	.may_split = refuse_split,
	.mremap = refuse_move,
};

static const struct vm_operations_struct ring_ops = {
	.fault = ring_fault,
	.may_split = refuse_split,
	.mremap = refuse_move,
};

static const struct vm_operations_struct zone_ops = {
	.fault = zone_fault,
};

/* Once, and by the address space that was set up. mmap_lock is held. */
static int map_control(struct aem_process *proc, struct vm_area_struct *vma)
{
	if (proc->mappings || proc->orphan)
		return -EBUSY;
	proc->mappings = 1;
	aem_vm_flags_set(vma, VM_DONTCOPY);
	vma->vm_ops = &control_ops;
	return 0;
}

static int map_ring(struct vm_area_struct *vma)
{
	aem_vm_flags_set(vma, VM_DONTCOPY);
	vma->vm_ops = &ring_ops;
	return 0;
}

static int map_zone(struct vm_area_struct *vma)
{
	vma->vm_ops = &zone_ops;
	return 0;
}

/**
 * aem_memory_map() - mmap()
 * @proc: ready, and the caller's
 * @vma:  what is to be mapped
 *
 * Return: 0; -EINVAL: not shared, or not an area of ours as a whole; -EBUSY: the control
 * page is mapped already.
 */
int aem_memory_map(struct aem_process *proc, struct vm_area_struct *vma)
{
	unsigned long size = vma->vm_end - vma->vm_start;
	u64 offset = (u64)vma->vm_pgoff << PAGE_SHIFT;

	if (!(vma->vm_flags & VM_SHARED) || vma->vm_flags & VM_EXEC)
		return -EINVAL;
	aem_vm_flags_set(vma, VM_DONTEXPAND | VM_DONTDUMP);
	aem_vm_flags_clear(vma, VM_MAYEXEC);
	if (offset == AEM_MMAP_CONTROL && size == PAGE_SIZE)
		return map_control(proc, vma);
	if (offset == AEM_MMAP_RING &&
	    size == PAGE_ALIGN(proc->ring_entries * sizeof(struct aem_record)))
		return map_ring(vma);
	if (offset == AEM_MMAP_VMT &&
	    size == (u64)proc->vmt.max_chunks * AEM_BLOCK_MAX)
		return map_zone(vma);
	return -EINVAL;
}

int aem_vmt_alloc(struct aem_process *proc, size_t size, struct aem_block *block)
{
	return aem_vmtable_alloc(&proc->vmt, size, AEM_VMT_KERNEL, block);
}
EXPORT_SYMBOL_GPL(aem_vmt_alloc);

int aem_vmt_alloc_some(struct aem_process *proc, size_t size, size_t least,
		       struct aem_block *block)
{
	int err = aem_vmt_alloc(proc, size, block);

	while ((err == -ENOBUFS || err == -ENOMEM) && size > least) {
		size = max(size / 2, least);
		err = aem_vmt_alloc(proc, size, block);
	}
	return err;
}
EXPORT_SYMBOL_GPL(aem_vmt_alloc_some);

void aem_vmt_free(struct aem_process *proc, struct aem_block *block)
{
	if (!block->address)
		return;
	aem_vmtable_free(&proc->vmt, block);
	memset(block, 0, sizeof(*block));
	aem_active_feed(proc);
}
EXPORT_SYMBOL_GPL(aem_vmt_free);

int aem_vmt_strdup(struct aem_process *proc, const char *string, struct aem_block *block)
{
	size_t size = strlen(string) + 1;
	int err = aem_vmt_alloc(proc, size, block);

	if (!err)
		memcpy(block->address, string, size);
	return err;
}
EXPORT_SYMBOL_GPL(aem_vmt_strdup);

static int give_block(struct aem_process *proc, struct aem_vmt *arg)
{
	struct aem_block block;
	int err;

	if (arg->offset)
		return -EINVAL;
	err = aem_vmtable_alloc(&proc->vmt, min_t(u64, arg->length, SIZE_MAX),
				AEM_VMT_USER, &block);
	if (err)
		return err == -ENOBUFS ? -ENOSPC : err;
	arg->offset = block.offset;
	arg->length = block.size;
	return 0;
}

static int take_block(struct aem_process *proc, struct aem_vmt *arg)
{
	int err;

	if (arg->length)
		return -EINVAL;
	err = aem_vmtable_free_user(&proc->vmt, arg->offset);
	if (!err)
		aem_active_feed(proc);
	return err;
}

/**
 * aem_memory_control() - AEM_IOC_VMT
 * @proc: the process
 * @arg:  what to do; out: the block
 *
 * Return: 0, -EINVAL, -ENOSPC or -ENOMEM.
 */
int aem_memory_control(struct aem_process *proc, struct aem_vmt *arg)
{
	switch (arg->op) {
	case AEM_VMT_ALLOC:
		return give_block(proc, arg);
	case AEM_VMT_FREE:
		return take_block(proc, arg);
	default:
		return -EINVAL;
	}
}
