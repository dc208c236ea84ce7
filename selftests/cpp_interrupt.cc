// SPDX-License-Identifier: GPL-2.0
/*
 * C++ exceptions that stay inside of handlers, which interrupt a program that throws and catches
 * its own: with both doorbells.
 *
 * An exception's memory is malloc()'s. What makes malloc() safe in a handler that interrupts
 * makes exceptions safe, too: it is not interrupted.
 *
 * vm: load=core,timer
 */
#include <aem/aem.h>
#include <aem/timer.h>
#include "ktap.h"
#include <exception>
#include <stdexcept>
#include <string>

static struct aem *guard;

extern "C" {

void *__libc_malloc(size_t size);
void __libc_free(void *memory);

/* In place of the C library's, as it allows: nothing interrupts them. */
void *malloc(size_t size)
{
	unsigned int level = guard ? aem_level_raise(guard, AEM_LEVEL_ALL) : 0;
	void *memory = __libc_malloc(size);

	if (guard)
		aem_level_restore(guard, level);
	return memory;
}

void free(void *memory)
{
	unsigned int level = guard ? aem_level_raise(guard, AEM_LEVEL_ALL) : 0;

	__libc_free(memory);
	if (guard)
		aem_level_restore(guard, level);
}

}

namespace {

struct Failure : std::runtime_error {
	int depth;

	explicit Failure(int d) : std::runtime_error("failure"), depth(d) {}
};

/* What is destroyed on the way out is counted. */
struct Guest {
	int &left;

	explicit Guest(int &l) : left(l) {}
	~Guest() { left++; }
};

__attribute__((noinline)) void descend(int depth, int from, int &left)
{
	Guest guest(left);

	if (!depth)
		throw Failure(from);
	descend(depth - 1, from, left);
	/* So that the call above is none in the end. */
	__asm__ volatile("" ::: "memory");
}

/* Throws through so many frames, catches, throws on, catches again: true if all is right. */
bool throw_and_catch(int depth)
{
	int pending = std::uncaught_exceptions(), left = 0;

	try {
		try {
			descend(depth, depth, left);
		} catch (const std::exception &e) {
			if (left != depth + 1)
				return false;
			throw;
		}
	} catch (const Failure &failure) {
		return failure.depth == depth && std::string(failure.what()) == "failure" &&
		       std::uncaught_exceptions() == pending;
	}
	return false;
}

unsigned long long handled, wrong;

void handle(struct aem *, void *depth, aem_id, uint64_t, uint64_t, int)
{
	if (!throw_and_catch(static_cast<int>(reinterpret_cast<intptr_t>(depth))))
		wrong++;
	handled++;
}

void exceptions(uint32_t flags)
{
	struct aem_options options = {};
	struct aem_timer_spec often = {};
	unsigned long long thrown = 0;
	struct aem *aem;
	aem_id id[2];

	options.flags = flags;
	ASSERT_RESULT(aem_open(&aem, &options), 0);
	guard = aem;
	often.value = often.interval = 400000;
	ASSERT_RESULT(aem_timer_create(aem, &id[0], CLOCK_MONOTONIC, AEM_PRIO(3), &often, handle,
				       reinterpret_cast<void *>(3)), 0);
	often.value = often.interval = 700000;
	ASSERT_RESULT(aem_timer_create(aem, &id[1], CLOCK_MONOTONIC, AEM_PRIO(5), &often, handle,
				       reinterpret_cast<void *>(7)), 0);
	while (ktap_more(__atomic_load_n(&handled, __ATOMIC_SEQ_CST), 5000)) {
		EXPECT(throw_and_catch(static_cast<int>(thrown % 11)));
		thrown++;
	}
	for (aem_id one : id)
		EXPECT_RESULT(aem_event_shutdown(aem, one), 0);
	NOTE("%llu exceptions, interrupted by %llu", thrown, handled);
	EXPECT_EQ(wrong, 0);
	EXPECT_GT(thrown, 0);
	EXPECT_EQ(std::uncaught_exceptions(), 0);
	guard = nullptr;
	EXPECT_RESULT(aem_close(aem), 0);
}

}

TEST(exceptions_by_redirection)
{
	exceptions(0);
}

TEST(exceptions_by_signal)
{
	exceptions(AEM_OPEN_SIGNAL);
}

KTAP_MAIN()
