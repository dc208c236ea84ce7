// SPDX-License-Identifier: GPL-2.0
/*
 * Contexts: made, looked at, closed.
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "internal.h"
#include "trampoline.h"

#define DEVICE		"/dev/aem"
#define QUEUE_CALLS	512U
#define QUEUE_CALLS_MAX	4096U
#define QUEUE_BYTES	(256U << 10)
#define QUEUE_BYTES_MIN	4096U
#define QUEUE_BYTES_MAX	(1U << 30)

/**
 * struct survivor - what a child needs after fork to close its copy of a context
 * @bytes:    of the mapping that begins here; struct aem follows after a page
 * @fd:       of /dev/aem
 * @vmt_size: of the zone
 * @vmt:      the zone, which is inherited
 *
 * Everything behind this page is wiped in the child, so that nothing there can touch
 * the pages that it has not inherited.
 */
struct survivor {
	size_t bytes;
	int fd;
	size_t vmt_size;
	void *vmt;
};

static size_t page_size(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

static struct survivor *survivor_of(struct aem *aem)
{
	return (struct survivor *)((char *)aem - page_size());
}

static size_t round_up(size_t n, size_t to)
{
	return (n + to - 1) / to * to;
}

static int check_options(const struct aem_options *o)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(o->reserved); i++)
		if (o->reserved[i])
			return -EINVAL;
	if (o->flags & ~(AEM_OPEN_SAFEPOINT | AEM_OPEN_LOOK | AEM_OPEN_SIGNAL | AEM_OPEN_HINT) ||
	    (o->flags & (AEM_OPEN_SAFEPOINT | AEM_OPEN_LOOK) &&
	     (o->signo || o->flags & AEM_OPEN_SIGNAL)) || o->queue_calls > QUEUE_CALLS_MAX ||
	    (o->queue_bytes && o->queue_bytes < QUEUE_BYTES_MIN) ||
	    o->queue_bytes > QUEUE_BYTES_MAX)
		return -EINVAL;
	return 0;
}

/* One mapping for all: struct survivor, struct aem, the queue. */
static int allocate(struct aem **aem, const struct aem_options *o)
{
	uint32_t calls = o->queue_calls ? o->queue_calls : QUEUE_CALLS;
	size_t length = o->queue_bytes ? o->queue_bytes : QUEUE_BYTES;
	size_t page = page_size(), own = round_up(sizeof(struct aem), 64);
	size_t bytes = round_up(page + own + aem_queue_memory(calls, length), page);
	struct survivor *s;

	s = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (s == MAP_FAILED)
		return -ENOMEM;
	if (madvise((char *)s + page, bytes - page, MADV_WIPEONFORK)) {
		munmap(s, bytes);
		return -ENOSYS;
	}
	s->bytes = bytes;
	s->fd = -1;
	*aem = (struct aem *)((char *)s + page);
	(*aem)->fd = -1;
	(*aem)->alive = true;
	aem_queue_setup(&(*aem)->queue, calls, length, (char *)*aem + own);
	return 0;
}

static int open_device(struct aem *aem, uint32_t *features)
{
	struct aem_query query = { .size = sizeof(query) };
	int ret;

	aem->fd = open(DEVICE, O_RDWR | O_CLOEXEC);
	if (aem->fd < 0)
		return -errno;
	survivor_of(aem)->fd = aem->fd;
	ret = call_ioctl(aem->fd, AEM_IOC_QUERY, &query);
	if (ret)
		return ret;
	*features = query.features;
	return query.abi < AEM_ABI ? -EPROTO : 0;
}

/* 0 and the address, or -errno. */
static int map(const struct aem *aem, void **at, size_t size, off_t offset)
{
	*at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, aem->fd, offset);
	if (*at != MAP_FAILED)
		return 0;
	*at = NULL;
	return -errno;
}

static int map_all(struct aem *aem, const struct aem_setup *setup)
{
	struct survivor *s = survivor_of(aem);
	void *control, *ring;
	int ret;

	ret = map(aem, &s->vmt, setup->vmt_size, AEM_MMAP_VMT);
	if (ret)
		return ret;
	s->vmt_size = setup->vmt_size;
	ret = map(aem, &ring, setup->ring_entries * sizeof(struct aem_record), AEM_MMAP_RING);
	if (ret)
		return ret;
	aem->ring = ring;
	aem->mask = setup->ring_entries - 1;
	ret = map(aem, &control, sizeof(struct aem_control), AEM_MMAP_CONTROL);
	if (ret)
		return ret;
	aem->vmt = s->vmt;
	/* From here on the signal handler may look. */
	STORE(aem->control, control);
	return 0;
}

/*
 * The signal's handler must be there before the kernel may send it, and is needed as well where
 * registers are redirected.
 */
static int attach(struct aem *aem, const struct aem_options *o, uint32_t features,
		  struct aem_setup *setup)
{
	int ret = aem_doorbell_attach(aem, o->signo);

	if (ret < 0)
		return ret;
	setup->signo = ret;
	aem->interrupts = true;
	if (!(o->flags & AEM_OPEN_SIGNAL) && features & AEM_FEATURE_REDIRECT &&
	    aem_trampoline_fill(&setup->trampoline, aem))
		setup->flags |= AEM_SETUP_REDIRECT;
	return 0;
}

static int set_up(struct aem *aem, const struct aem_options *o, uint32_t features)
{
	struct aem_setup setup = {
		.size = sizeof(setup),
		.ring_entries = o->ring_entries,
		.vmt_size = o->vmt_size,
		.flags = o->flags & AEM_OPEN_HINT ? AEM_SETUP_HINT : 0,
	};
	int ret = 0;

	aem->anchor = aem_doorbell_anchor();
	aem->tid = gettid();
	if (o->flags & AEM_OPEN_SAFEPOINT)
		setup.flags |= AEM_SETUP_SAFEPOINT;
	else
		ret = attach(aem, o, features, &setup);
	ret = ret ? ret : call_ioctl(aem->fd, AEM_IOC_SETUP, &setup);
	return ret ? ret : map_all(aem, &setup);
}

/* Whatever aem_open() has got so far, or what a child has of it. */
static void release(struct aem *aem)
{
	struct survivor *s = survivor_of(aem);
	struct aem_control *control = aem->control;

	/* Redirected registers would lead into what is being taken apart. */
	if (control)
		mask_all(aem);
	aem_doorbell_detach(aem);
	STORE(aem->control, NULL);
	if (control)
		munmap(control, sizeof(*control));
	if (aem->ring)
		munmap(aem->ring, (aem->mask + 1) * sizeof(struct aem_record));
	if (s->vmt)
		munmap(s->vmt, s->vmt_size);
	if (s->fd >= 0)
		close(s->fd);
	munmap(s, s->bytes);
}

int aem_open(struct aem **aem, const struct aem_options *options)
{
	static const struct aem_options none;
	uint32_t features = 0;
	struct aem *new;
	int ret;

	if (!options)
		options = &none;
	ret = check_options(options);
	if (ret)
		return ret;
	ret = allocate(&new, options);
	if (ret)
		return ret;
	ret = open_device(new, &features);
	if (!ret && !(options->flags & AEM_OPEN_LOOK))
		ret = set_up(new, options, features);
	if (ret) {
		release(new);
		return ret;
	}
	*aem = new;
	return 0;
}

/* Another thread owns it, and may be interrupted at any moment. */
static bool has_other_owner(const struct aem *aem)
{
	return aem->control && !is_owner(aem) && !tgkill(getpid(), aem->tid, 0);
}

int aem_close(struct aem *aem)
{
	if (!aem)
		return 0;
	if (has_other_owner(aem))
		return -EPERM;
	if (aem->control && (aem->depth || aem->queue.reporting))
		return -EBUSY;
	release(aem);
	return 0;
}

int aem_fd(const struct aem *aem)
{
	return aem->alive ? aem->fd : -EPERM;
}

/* What to do, for who has a shell and the right to. */
static const struct {
	int error;
	const char *text;
} hints[] = {
	{ ENOENT, "no " DEVICE " (modprobe aem-core), or no such service (aemctl service ask)" },
	{ ENXIO, "nothing answers at " DEVICE ": load the module (modprobe aem-core)" },
	{ ENODEV, "the service was revoked; or nothing answers at " DEVICE " (modprobe aem-core)" },
	{ EACCES, DEVICE " is for the group aem: join it (usermod -aG aem USER), log in again" },
	{ ENOPROTOOPT, "other versions are loaded (aemctl service list): load this one too" },
	{ EPROTO, "the versions loaded do not fit together or are too old: load newer ones" },
	{ E2BIG, "the loaded aem-core is older than this program: load a newer one" },
	{ EINVAL, "an argument is out of range, or for a newer aem-core than the one loaded" },
	{ EFAULT, "an address is not this program's to read or write" },
	{ ENOTTY, DEVICE " does not answer as aem-core does: load the one of this library" },
	{ EPERM, "the context is another process's: after fork() open one of your own" },
	{ ENOSYS, "the context has no such call: bind its service first" },
	{ EOPNOTSUPP, "the event, the service or the loaded aem-core cannot do that" },
	{ EALREADY, "it is so already: there is nothing to do" },
	{ ETIMEDOUT, "a call of the service does not end: see what its process waits for" },
	{ ENOMEM, "memory is short, or the memory cgroup's limit is met" },
	{ EINTR, "a signal was handled meanwhile: try again" },
	{ ETIME, "the time has passed, and no event was due" },
	{ EDQUOT, "this user's limit is met: close contexts, or raise aem-core's parameters" },
	{ ENOSPC, "a limit is met: ask for less, or raise aem-core's parameters" },
	{ EBUSY, "the program has a handler of its own for this signal: choose another" },
};

const char *aem_strerror_hint(int error)
{
	const char *text = strerrordesc_np(-error);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(hints); i++)
		if (hints[i].error == -error)
			text = hints[i].text;
	return text ? text : "unknown error";
}
