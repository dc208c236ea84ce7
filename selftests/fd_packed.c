// SPDX-License-Identifier: GPL-2.0
/*
 * One record for many notes: what it has, in which order, and how much.
 */
/* vm: load=core,null,fd m32 */
#include "fds.h"
#include <limits.h>

#define ROOM	65536
#define PIECE	(FD_NOTE_MAX + 8)
/* The smallest zone: one largest block. */
#define ZONE	65536

static struct raw raw;
static struct fd_told told;

/*
 * struct packed - what the records of a packed watch said
 * @records: how many
 * @notes:   in them
 * @lost:    summed up
 * @most:    notes of one record
 * @bytes:   of one record, at most
 * @spoil:   write over each block when it has been read
 * @order:   what the names of notes to come are, in order; NULL: any
 */
static struct {
	uint32_t records;
	uint32_t notes;
	uint32_t lost;
	uint32_t most;
	uint32_t bytes;
	bool spoil;
	uint32_t (*order)(uint32_t n, char *name);
} packed;

/* Names of all lengths, so that notes begin and end everywhere. */
static uint32_t numbered(uint32_t n, char *name)
{
	uint32_t length = n * 37 % (NAME_MAX - 12);

	memset(name, 'a' + (int)(n % 26), length);
	return length + (uint32_t)snprintf(name + length, 12, "%u", n);
}

static void check_name(const struct aem_fd_note *note)
{
	char name[NAME_MAX + 1];

	if (!packed.order)
		return;
	EXPECT_EQ(packed.order(packed.notes, name), note->name_length);
	EXPECT_STR(fd_name(note), name);
}

/* The lengths lead from one to the next, and to the end. Return: what the notes count. */
static uint32_t walk(char *block, uint32_t bytes, uint32_t n)
{
	const struct aem_fd_note *note;
	uint32_t at = 0, i, count = 0;

	for (i = 0; i < n; i++, at += note->length) {
		ASSERT_LE(at + sizeof(*note), bytes);
		note = (const struct aem_fd_note *)(block + at);
		ASSERT_LE(note->length, bytes - at);
		EXPECT_EQ(!!(note->flags & AEM_FD_F_MORE), i + 1 < n);
		check_name(note);
		fd_take_note(&told, note);
		packed.notes++;
		count += note->count;
	}
	EXPECT_EQ(at, bytes);
	return count;
}

static void take(struct raw *context, struct aem_record *record)
{
	char *block = (char *)context->vmt + record->arg[1];
	uint32_t word[6];

	memcpy(word, record->arg, sizeof(word));
	EXPECT_EQ(record->nr, fd_base + AEM_FD_WATCH);
	EXPECT_EQ(word[4] | word[5], 0);
	EXPECT_GE(word[1], 1);
	EXPECT_LE(word[0], AEM_FD_PACK);
	packed.records++;
	packed.lost += record->lost;
	packed.most = word[1] > packed.most ? word[1] : packed.most;
	packed.bytes = word[0] > packed.bytes ? word[0] : packed.bytes;
	EXPECT_EQ(walk(block, word[0], word[1]), record->count);
	if (packed.spoil)
		memset(block, 0xff, word[0]);
}

static void begin_in(uint64_t zone, uint32_t kinds, uint32_t flags, uint32_t room)
{
	struct aem_fd_watch watch;

	memset(&raw, 0, sizeof(raw));
	raw.setup.flags = AEM_SETUP_SAFEPOINT;
	raw.setup.vmt_size = zone;
	raw_begin(&raw);
	fds_bind(&raw);
	fds_go();
	memset(&packed, 0, sizeof(packed));
	watch = fd_request(&told, ".", kinds);
	watch.flags = AEM_FD_PACKED | flags;
	watch.room = room;
	watch.reg.handler = (uintptr_t)take;
	fd_make(&raw, &told, &watch);
}

static void begin(uint32_t kinds, uint32_t flags, uint32_t room)
{
	begin_in(0, kinds, flags, room);
}

static void make(uint32_t from, uint32_t to)
{
	char name[NAME_MAX + 1];

	for (; from < to; from++) {
		numbered(from, name);
		ASSERT_OK(mkdir(name, 0700));
	}
}

static void unmake(uint32_t from, uint32_t to)
{
	char name[NAME_MAX + 1];

	for (; from < to; from++) {
		numbered(from, name);
		ASSERT_OK(rmdir(name));
	}
}

TEST(what_waits_is_one_record)
{
	begin(AEM_FD_CREATE, 0, ROOM);
	packed.order = numbered;
	make(0, 20);
	raw_drain(&raw);
	EXPECT_EQ(packed.records, 1);
	EXPECT_EQ(packed.notes, 20);
	make(20, 21);
	raw_drain(&raw);
	EXPECT_EQ(packed.records, 2);
	EXPECT_EQ(packed.notes, 21);
	EXPECT_EQ(packed.lost, 0);
	raw_end(&raw);
}

TEST(more_than_one_record_holds)
{
	begin(AEM_FD_CREATE, 0, 4 * ROOM);
	packed.order = numbered;
	make(0, 300);
	raw_drain(&raw);
	EXPECT_EQ(packed.notes, 300);
	EXPECT_EQ(packed.lost, 0);
	/* What did not fit was the next note, not more. */
	EXPECT_GT(packed.bytes, AEM_FD_PACK - PIECE);
	EXPECT_GE(packed.records, 300 * sizeof(struct aem_fd_note) / AEM_FD_PACK);
	EXPECT_LE(packed.records, 300 * PIECE / AEM_FD_PACK);
	EXPECT_GT(packed.most, 1);
	raw_end(&raw);
}

TEST(what_repeats_is_counted)
{
	int a, b, i;

	begin(AEM_FD_MODIFY, AEM_FD_MERGE, ROOM);
	a = fd_touch("a");
	b = fd_touch("b");
	for (i = 0; i < 5; i++)
		ASSERT_EQ(write(a, "x", 1), 1);
	for (i = 0; i < 3; i++)
		ASSERT_EQ(write(b, "x", 1), 1);
	ASSERT_EQ(write(a, "x", 1), 1);
	raw_drain(&raw);
	EXPECT_EQ(packed.records, 1);
	ASSERT_EQ(told.n, 3);
	EXPECT_EQ(fd_note(&told, 0)->count, 5);
	EXPECT_STR(fd_name(fd_note(&told, 1)), "b");
	EXPECT_EQ(fd_note(&told, 1)->count, 3);
	EXPECT_EQ(fd_note(&told, 2)->count, 1);
	close(a);
	close(b);
	raw_end(&raw);
}

/* The ring is taken whole or in parts, and comes round often. */
TEST(losses_are_counted)
{
	uint32_t made = 0, kept = 0, round;

	begin(AEM_FD_CREATE, 0, AEM_FD_ROOM_MIN + 8);
	for (round = 0; round < 20; round++) {
		make(made, made + round);
		raw_drain(&raw);
		kept = packed.notes;
		unmake(made, made + round);
		made += round;
	}
	make(made, made + 1);
	raw_drain(&raw);
	EXPECT_EQ(packed.notes, kept + 1);
	EXPECT_GT(packed.lost, 0);
	EXPECT_EQ(packed.notes + packed.lost, made + 1);
	raw_end(&raw);
}

/* One record's worth comes, and one record is taken: notes go round the ring, and are cut there. */
TEST(round_the_ring)
{
	struct aem_enter enter = { .max_events = 1 };
	uint32_t made = 40, round;

	begin(AEM_FD_CREATE, 0, 49152);
	packed.order = numbered;
	make(0, made);
	for (round = 0; round < 20; round++, made += 34) {
		make(made, made + 34);
		ASSERT_OK(raw_enter(&raw, &enter));
		EXPECT_EQ(raw_dispatch(&raw, &enter), 1);
	}
	EXPECT_GT(made, packed.notes);
	raw_drain(&raw);
	EXPECT_EQ(packed.notes, made);
	EXPECT_EQ(packed.lost, 0);
	raw_end(&raw);
}

/* What the process writes into blocks is read by nobody. */
TEST(blocks_are_not_believed)
{
	uint32_t i;

	begin(AEM_FD_CREATE, AEM_FD_MERGE, ROOM);
	packed.order = numbered;
	packed.spoil = true;
	for (i = 0; i < 10; i++) {
		make(i * 10, i * 10 + 10);
		/* Free memory, where the next block comes from. */
		if (i)
			memset(raw.vmt, 0xff, AEM_FD_PACK);
		raw_drain(&raw);
		EXPECT_EQ(packed.records, i + 1);
	}
	EXPECT_EQ(packed.notes, 100);
	EXPECT_EQ(packed.lost, 0);
	raw_end(&raw);
}

TEST(stopped_notes_wait)
{
	begin(AEM_FD_CREATE, 0, ROOM);
	packed.order = numbered;
	ASSERT_OK(raw_event(&raw, AEM_EVENT_STOP, told.id, 0));
	make(0, 5);
	raw_drain(&raw);
	EXPECT_EQ(packed.records, 0);
	ASSERT_OK(raw_event(&raw, AEM_EVENT_START, told.id, 0));
	raw_drain(&raw);
	EXPECT_EQ(packed.records, 1);
	EXPECT_EQ(packed.notes, 5);
	raw_end(&raw);
}

/* No block at all: what comes meanwhile waits too, and is told with the first that comes back. */
TEST(waits_for_memory)
{
	long long all;

	begin_in(ZONE, AEM_FD_CREATE, 0, ROOM);
	packed.order = numbered;
	all = raw_take(&raw, ZONE);
	make(0, 10);
	raw_expect_starving(&raw, 1);
	make(10, 20);
	raw_expect_starving(&raw, 1);
	raw_give(&raw, all);
	raw_drain(&raw);
	EXPECT_EQ(packed.records, 1);
	EXPECT_EQ(packed.notes, 20);
	EXPECT_EQ(packed.lost, 0);
	EXPECT_EQ(raw_query(&raw).starved, 0);
	EXPECT_EQ(raw_query(&raw).vmt_used, 0);
	raw_end(&raw);
}

/* What finds no room while there is no memory is counted, once. */
TEST(losses_while_there_is_no_memory)
{
	uint32_t made = 0, round;
	long long all;

	begin_in(ZONE, AEM_FD_CREATE, 0, 2048);
	for (round = 1; round < 5; round++, made += 20) {
		all = raw_take(&raw, ZONE);
		ASSERT_GE(all, 0);
		make(made, made + 20);
		raw_expect_starving(&raw, round);
		raw_give(&raw, all);
		raw_drain(&raw);
		EXPECT_EQ(packed.records, round);
		EXPECT_GT(packed.lost, 0);
		EXPECT_EQ(packed.notes + packed.lost, made + 20);
	}
	raw_end(&raw);
}

/* All that is free are small blocks: a record takes what one of them holds. */
TEST(small_blocks_will_do)
{
	enum { BLOCK = 1024, BLOCKS = ZONE / BLOCK };
	uint64_t block[BLOCKS];

	begin_in(ZONE, AEM_FD_CREATE, 0, ROOM);
	packed.order = numbered;
	EXPECT_EQ(raw_take_all(&raw, block, BLOCKS, BLOCK), BLOCKS);
	make(0, 50);
	raw_expect_starving(&raw, 1);
	raw_give(&raw, block[5]);
	while (packed.notes < 50)
		ASSERT_NE(raw_drain(&raw), 0);
	EXPECT_EQ(packed.notes, 50);
	EXPECT_LE(packed.bytes, BLOCK);
	EXPECT_GT(packed.most, 1);
	EXPECT_EQ(packed.lost, 0);
	raw_end(&raw);
}

/* One note needs more than the blocks that there are: it waits until others join them. */
TEST(too_small_for_one)
{
	enum { BLOCK = 128, BLOCKS = ZONE / BLOCK };
	uint64_t block[BLOCKS];
	uint32_t i;

	begin_in(ZONE, AEM_FD_CREATE, 0, ROOM);
	EXPECT_EQ(raw_take_all(&raw, block, BLOCKS, BLOCK), BLOCKS);
	/* A long name. */
	make(6, 7);
	raw_expect_starving(&raw, 1);
	raw_give(&raw, block[0]);
	raw_expect_starving(&raw, 2);
	for (i = 1; i < BLOCKS; i++)
		raw_give(&raw, block[i]);
	raw_drain(&raw);
	EXPECT_EQ(packed.notes, 1);
	EXPECT_EQ(packed.lost, 0);
	raw_end(&raw);
}

KTAP_MAIN()
