// SPDX-License-Identifier: GPL-2.0
/*
 * A plugin of the emulator: counts the instructions of a timed round by address. The round is
 * marked by instructions that do nothing, see ../lib/bench.c: xchg %bx,%bx begins, xchg %cx,%cx
 * ends it. Each end writes a file anew: what it holds at last is the last timed round. xchg %dx,%dx
 * ends a row: the next one has a file of its own, .0 .1 and so on.
 *
 * Debian ships no header of this interface; it is stable, and this is the part that is used.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uint64_t plugin_id;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
enum { INLINE_ADD_U64 };
enum { CB_NO_REGS };

void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id id,
					   void (*cb)(plugin_id id, struct qemu_plugin_tb *tb));
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *tb, int op, void *ptr,
					      uint64_t imm);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn,
					    void (*cb)(unsigned int vcpu, void *user), int flags,
					    void *user);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t index);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);

__attribute__((visibility("default"))) int qemu_plugin_version = 1;

#define BUCKETS 65536

/** struct block - a run of instructions: each execution adds their number to @count */
struct block {
	struct block *next;
	uint64_t address;
	uint64_t length;
	uint64_t count;
};

static struct block *blocks[BUCKETS];
static const char *path;
static unsigned int row;

static struct block *block_at(uint64_t address, uint64_t length)
{
	struct block **bucket = &blocks[(address >> 1) % BUCKETS], *b;

	for (b = *bucket; b; b = b->next)
		if (b->address == address && b->length == length)
			return b;
	b = calloc(1, sizeof(*b));
	if (!b)
		abort();
	b->address = address;
	b->length = length;
	b->next = *bucket;
	*bucket = b;
	return b;
}

static void begin(unsigned int vcpu, void *user)
{
	struct block *b;
	int i;

	(void)vcpu;
	(void)user;
	for (i = 0; i < BUCKETS; i++)
		for (b = blocks[i]; b; b = b->next)
			b->count = 0;
}

static void end(unsigned int vcpu, void *user)
{
	struct block *b;
	char name[4096];
	FILE *f;
	int i;

	(void)vcpu;
	(void)user;
	snprintf(name, sizeof(name), "%s.%u", path, row);
	f = fopen(name, "w");
	if (!f)
		return;
	for (i = 0; i < BUCKETS; i++)
		for (b = blocks[i]; b; b = b->next)
			if (b->count)
				fprintf(f, "%llx %llu\n", (unsigned long long)b->address,
					(unsigned long long)b->count);
	fclose(f);
}

static void end_row(unsigned int vcpu, void *user)
{
	(void)vcpu;
	(void)user;
	row++;
}

static void translated(plugin_id id, struct qemu_plugin_tb *tb)
{
	size_t i, n = qemu_plugin_tb_n_insns(tb);
	uint64_t address = qemu_plugin_insn_vaddr(qemu_plugin_tb_get_insn(tb, 0));

	(void)id;
	qemu_plugin_register_vcpu_tb_exec_inline(tb, INLINE_ADD_U64, &block_at(address, n)->count,
						 n);
	for (i = 0; i < n; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		const void *data = qemu_plugin_insn_data(insn);

		if (qemu_plugin_insn_size(insn) != 3)
			continue;
		if (!memcmp(data, "\x66\x87\xdb", 3))
			qemu_plugin_register_vcpu_insn_exec_cb(insn, begin, CB_NO_REGS, NULL);
		if (!memcmp(data, "\x66\x87\xc9", 3))
			qemu_plugin_register_vcpu_insn_exec_cb(insn, end, CB_NO_REGS, NULL);
		if (!memcmp(data, "\x66\x87\xd2", 3))
			qemu_plugin_register_vcpu_insn_exec_cb(insn, end_row, CB_NO_REGS, NULL);
	}
}

__attribute__((visibility("default")))
int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv)
{
	(void)info;
	path = argc > 0 && !strncmp(argv[0], "to=", 3) ? argv[0] + 3 : "profile";
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	return 0;
}
