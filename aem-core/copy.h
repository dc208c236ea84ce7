/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Structs between user space and us: arguments, which begin with their size, and frames.
 *
 * Nearly always that is the size that we know, and the struct is a few words long. Then it is
 * copied word by word in one region of access: copy_from_user() of a size that the compiler does
 * not know looks up what memory it is about to write, at several times the price of the copy.
 * Whatever is not as expected goes the general way, which also says what is wrong.
 */
#ifndef _AEM_CORE_COPY_H
#define _AEM_CORE_COPY_H

#include <linux/fault-inject-usercopy.h>
#include <linux/minmax.h>
#include <linux/uaccess.h>

/*
 * AEM_UNINITIALIZED - of a variable that is written before it is read, every byte of it: kernels
 * that clear the stack spend more on it than the call does.
 */
#if __has_attribute(__uninitialized__)
#define AEM_UNINITIALIZED	__attribute__((__uninitialized__))
#else
#define AEM_UNINITIALIZED
#endif

static inline bool aem_copy_is_quick(size_t size)
{
	return IS_ENABLED(CONFIG_64BIT) && IS_ENABLED(CONFIG_HAVE_EFFICIENT_UNALIGNED_ACCESS) &&
	       size && size % sizeof(u64) == 0;
}

/* True: all of it was there, and its first word is @size. */
static inline bool aem_copy_in_quickly(void *to, size_t size, const void __user *from)
{
	const u64 __user *source = from;
	u64 *words = to;
	size_t i;

	if (!aem_copy_is_quick(size) || !user_read_access_begin(source, size))
		return false;
	/* Read once: what it says of the size is what we go by. */
	unsafe_get_user(words[0], source, fault);
	if (*(const u32 *)to != size)
		goto fault;
	for (i = 1; i < size / sizeof(u64); i++)
		unsafe_get_user(words[i], source + i, fault);
	user_read_access_end();
	return true;
fault:
	user_read_access_end();
	return false;
}

/**
 * aem_copy_in() - fetch an argument struct
 * @to:       where to, aligned to 8
 * @size:     as we know it; what the user's shorter one lacks is zeroed
 * @min_size: the smallest that is accepted
 * @from:     the user's
 * @given:    out: the user's size
 *
 * Context: may fault.
 * Return: 0, -EFAULT, -EINVAL or -E2BIG.
 */
static inline int aem_copy_in(void *to, size_t size, size_t min_size, const void __user *from,
			      u32 *given)
{
	if (should_fail_usercopy())
		return -EFAULT;
	if (likely(aem_copy_in_quickly(to, size, from))) {
		*given = size;
		return 0;
	}
	if (get_user(*given, (const u32 __user *)from))
		return -EFAULT;
	if (*given < min_size)
		return -EINVAL;
	if (*given > PAGE_SIZE)
		return -E2BIG;
	return copy_struct_from_user(to, size, from, *given);
}

/**
 * aem_copy_element() - fetch an element of an array of structs
 * @to:   where to, aligned to 8
 * @size: of an element, whatever size it says it has
 * @from: the user's
 *
 * Context: may fault.
 * Return: 0 or -EFAULT.
 */
static inline int aem_copy_element(void *to, size_t size, const void __user *from)
{
	if (should_fail_usercopy())
		return -EFAULT;
	if (likely(aem_copy_in_quickly(to, size, from)))
		return 0;
	return copy_from_user(to, from, size) ? -EFAULT : 0;
}

/**
 * aem_copy_words() - write some words
 * @to:    the user's
 * @words: ours
 * @size:  bytes, a multiple of 8
 *
 * Context: may fault.
 * Return: true: they are written. Otherwise go the general way: copy_to_user().
 */
static inline bool aem_copy_words(void __user *to, const void *words, size_t size)
{
	const u64 *source = words;
	u64 __user *target = to;
	size_t i;

	if (!aem_copy_is_quick(size) || !user_write_access_begin(target, size))
		return false;
	for (i = 0; i < size / sizeof(u64); i++)
		unsafe_put_user(source[i], target + i, fault);
	user_write_access_end();
	return true;
fault:
	user_write_access_end();
	return false;
}

/**
 * aem_copy_out() - write an argument struct back, or the part of it that may have changed
 * @to:    the user's
 * @arg:   ours
 * @from:  offset of that part, a multiple of 8
 * @size:  as we know it
 * @given: the user's size
 *
 * Context: may fault.
 * Return: 0 or -EFAULT.
 */
static inline int aem_copy_out(void __user *to, const void *arg, size_t from, size_t size,
			       u32 given)
{
	size_t end = min_t(size_t, size, given);

	if (from >= end)
		return 0;
	if (should_fail_usercopy())
		return -EFAULT;
	if (likely(aem_copy_words(to + from, arg + from, end - from)))
		return 0;
	return copy_to_user(to + from, arg + from, end - from) ? -EFAULT : 0;
}

#endif /* _AEM_CORE_COPY_H */
