// SPDX-License-Identifier: GPL-2.0
/*
 * The fuzzer, as it runs in a guest. tools/fuzz/fuzz starts it and looks after what it finds.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "corpus.h"
#include "coverage.h"
#include "log.h"
#include "own.h"
#include "runner.h"

/* Exit statuses; also known to tools/fuzz. */
#define FOUND		9
#define BLIND		8
#define REPORT_SECONDS	20
#define DUMP		400
/* A call that so many programs made in vain is not described right. */
#define IN_VAIN		200

static const char usage[] =
	"fuzz run SECONDS SEED PATIENCE BESIDE [CORPUS]  make programs and run them\n"
	"fuzz replay FILE TIMES PATIENCE BESIDE          run the programs of a file, each so many\n"
	"                                                times\n"
	"fuzz print SEED COUNT                           print programs\n"
	"fuzz check SEED COUNT                           the tables are right; what is printed can\n"
	"                                                be read\n"
	"\n"
	"PATIENCE: seconds in which a process that was killed has to be about to die; programs\n"
	"are given less. BESIDE: how many run beside one another. A file holds programs, each after a\n"
	"line \"program N\". Exit status: 9 if something was found, 8 if a call that was tried\n"
	"often never succeeded.\n";

static char text[FUZZ_TEXT];
static struct program *batch;
static unsigned int news[FUZZ_BATCH];

static long now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec;
}

/* A finding is told with the programs that led to it. */
static int report_finding(void)
{
	const char *finding = runner_finding();

	if (!finding)
		return 0;
	log_recent();
	printf("fuzz: found: %s\n", finding);
	return FOUND;
}

/* Over calls of the modules, or over all others. */
static unsigned long sum(const unsigned long *numbers, bool of_modules)
{
	unsigned long result = 0;
	unsigned int i;

	for (i = 0; i < describe_count(); i++)
		if (of_modules == (describe_call(i)->kind != CALL_SYSTEM))
			result += numbers[i];
	return result;
}

static void report(long seconds)
{
	unsigned long calls = sum(totals.reached, true);

	printf("fuzz: %ld s, %lu programs (%lu ended by force), %lu calls (%lu/s), %lu succeeded, ",
	       seconds, totals.programs, totals.killed, calls, calls / (seconds ? seconds : 1),
	       sum(totals.succeeded, true));
	printf("%lu others, %u steps, %u places, corpus %u\n", sum(totals.tried, false),
	       coverage_edges(), coverage_places(), corpus_count());
	fflush(stdout);
}

/* A call that never succeeds is fuzzed in its first lines only. */
static int report_calls(void)
{
	const struct call *call;
	int status = 0;
	unsigned int i;

	for (i = 0; i < describe_count(); i++) {
		call = describe_call(i);
		printf("fuzz: call %-14s %6lu programs %8lu tried %8lu reached %8lu succeeded\n",
		       call->name, totals.users[i], totals.tried[i], totals.reached[i],
		       totals.succeeded[i]);
		if (totals.succeeded[i] || call->may_fail || !generate_enabled(i))
			continue;
		printf("fuzz: call %s never succeeded\n", call->name);
		if (totals.users[i] >= IN_VAIN)
			status = BLIND;
	}
	return status;
}

static void make_program(struct program *program, struct random *random)
{
	struct program other;

	if (random_percent(random, 30) || !corpus_pick(program, random)) {
		generate_program(program, random);
		return;
	}
	corpus_pick(&other, random);
	mutate_program(program, random, &other);
}

/* The next program of a file: false at its end. */
static bool read_program(FILE *file, struct program *program)
{
	char line[2048];
	size_t length = 0;

	*text = 0;
	while (fgets(line, sizeof(line), file)) {
		if (!strncmp(line, "program", 7) || !strncmp(line, "corpus", 6)) {
			if (*text)
				break;
		} else if (length + strlen(line) < sizeof(text)) {
			strcpy(text + length, line);
			length += strlen(line);
		}
	}
	if (!*text)
		return false;
	if (text_parse(program, text))
		fprintf(stderr, "fuzz: skipped what is no program:\n%s", text);
	return true;
}

static unsigned int read_batch(FILE *file, unsigned int most)
{
	unsigned int count = 0;

	while (count < most && read_program(file, &batch[count]))
		if (batch[count].count)
			count++;
	return count;
}

/* Without coverage there is nothing to tell by which of them are good: all are. */
static void keep_batch(unsigned int count, bool all, struct random *random)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		if (news[i] || all)
			corpus_add(&batch[i], random);
}

static void load_corpus(const char *path, unsigned int beside, struct random *random)
{
	FILE *file = fopen(path, "r");
	unsigned int count;

	while (file && !runner_finding() && (count = read_batch(file, FUZZ_BATCH))) {
		runner_run(batch, count, beside, news);
		keep_batch(count, !runner_has_coverage(), random);
	}
	if (file)
		fclose(file);
}

static void run_batch(uint64_t seed, unsigned int beside, struct random *random)
{
	unsigned int i;

	for (i = 0; i < FUZZ_BATCH; i++) {
		struct random part = random_part(seed, totals.programs + i + 1);

		make_program(&batch[i], &part);
	}
	runner_run(batch, FUZZ_BATCH, beside, news);
	keep_batch(FUZZ_BATCH, false, random);
}

static int do_run(long seconds, uint64_t seed, unsigned int beside, const char *corpus)
{
	long begin = now(), next = begin;
	struct random random = random_part(seed, 0);

	printf("fuzz: seed %llu, %s\n", (unsigned long long)seed,
	       runner_has_coverage() ? "steered by coverage" : "no coverage in this kernel");
	if (corpus)
		load_corpus(corpus, beside, &random);
	while (!runner_finding() && now() < begin + seconds) {
		run_batch(seed, beside, &random);
		if (now() < next)
			continue;
		next += REPORT_SECONDS;
		report(now() - begin);
	}
	report(now() - begin);
	if (runner_finding())
		return report_finding();
	corpus_dump(DUMP);
	return report_calls();
}

static int do_replay(const char *path, unsigned long times, unsigned int beside)
{
	FILE *file = fopen(path, "r");
	unsigned int count;
	unsigned long i;

	if (!file)
		return fprintf(stderr, "fuzz: %s: %s\n", path, strerror(errno)), 2;
	while (!runner_finding() && (count = read_batch(file, beside)))
		for (i = 0; i < times && !runner_finding(); i++)
			runner_run(batch, count, beside, news);
	fclose(file);
	report(0);
	return report_finding();
}

static void enable_all(void)
{
	unsigned int i;

	for (i = 0; i < describe_count(); i++)
		generate_enable(i, true);
}

static int do_print(uint64_t seed, unsigned long count)
{
	struct program program;
	unsigned long i;

	enable_all();
	for (i = 0; i < count; i++) {
		struct random part = random_part(seed, i + 1);

		generate_program(&program, &part);
		text_print(&program, text, sizeof(text));
		printf("program %lu\n%s", i, text);
	}
	return 0;
}

/* Generated and mutated programs survive being printed and read. */
static int do_check(uint64_t seed, unsigned long count)
{
	struct program program = { 0 }, other, again;
	static char second[FUZZ_TEXT];
	unsigned long i;

	enable_all();
	if (describe_check())
		return 1;
	for (i = 0; i < count; i++) {
		struct random part = random_part(seed, i + 1);

		generate_program(&other, &part);
		mutate_program(&program, &part, &other);
		text_print(&program, text, sizeof(text));
		if (text_parse(&again, text))
			return printf("fuzz: cannot be read:\n%s", text), 1;
		text_print(&again, second, sizeof(second));
		if (strcmp(text, second))
			return printf("fuzz: not the same:\n%s\n%s", text, second), 1;
		if (i % 8 == 0)
			program = other;
	}
	return 0;
}

/* What programs execute: it ends by itself, with all that it inherited. */
static int do_sleep(void)
{
	struct timespec time = { 0, 3000000 };

	nanosleep(&time, NULL);
	return 0;
}

static int start(const char *patience)
{
	batch = shared_memory(FUZZ_BATCH * sizeof(*batch));
	return !batch || log_open() || describe_check() || corpus_init() ||
	       runner_init(atoi(patience));
}

static unsigned int beside_of(const char *word)
{
	unsigned int beside = atoi(word);

	return beside < 1 ? 1 : beside > FUZZ_BESIDE ? FUZZ_BESIDE : beside;
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";

	if (!strcmp(mode, "sleep"))
		return do_sleep();
	if (!strcmp(mode, "print") && argc == 4)
		return do_print(strtoull(argv[2], NULL, 0), atol(argv[3]));
	if (!strcmp(mode, "check") && argc == 4)
		return do_check(strtoull(argv[2], NULL, 0), atol(argv[3]));
	if (!strcmp(mode, "run") && (argc == 6 || argc == 7))
		return start(argv[4]) ? 2 : do_run(atol(argv[2]), strtoull(argv[3], NULL, 0),
						   beside_of(argv[5]), argv[6]);
	if (!strcmp(mode, "replay") && argc == 6)
		return start(argv[4]) ? 2 : do_replay(argv[2], atol(argv[3]),
						      beside_of(argv[5]));
	fputs(usage, stderr);
	return 2;
}
