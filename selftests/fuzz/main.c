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
#include "runner.h"

/* Exit statuses; also known to tools/fuzz. */
#define FOUND		9
#define BLIND		8
#define REPORT_SECONDS	20
#define DUMP		400

static const char usage[] =
	"fuzz run SECONDS SEED PATIENCE [CORPUS]  make programs and run them\n"
	"fuzz replay FILE TIMES PATIENCE          run the programs of a file, each so many times\n"
	"fuzz print SEED COUNT                    print programs\n"
	"fuzz check SEED COUNT                    the tables are right; what is printed can be read\n"
	"\n"
	"PATIENCE: seconds that a program may take. A file holds programs, each after a line\n"
	"\"program N\". Exit status: 9 if something was found, 8 if a call never succeeded.\n";

static char text[FUZZ_TEXT];

static long now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec;
}

static unsigned int run(const struct program *program, unsigned long number)
{
	text_print(program, text, sizeof(text));
	log_program(number, text);
	return runner_run(program);
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

static unsigned long sum(const unsigned long *numbers)
{
	unsigned long result = 0;
	unsigned int i;

	for (i = 0; i < describe_count(); i++)
		result += numbers[i];
	return result;
}

static void report(long seconds)
{
	printf("fuzz: %ld s, %lu programs (%lu ended by force), %lu calls, %lu succeeded, ",
	       seconds, totals.programs, totals.killed, sum(totals.tried), sum(totals.succeeded));
	printf("%u steps, %u places, corpus %u\n", coverage_edges(), coverage_places(),
	       corpus_count());
	fflush(stdout);
}

/* A call that never succeeds is fuzzed in its first lines only. */
static int report_calls(bool demand)
{
	const struct call *call;
	int status = 0;
	unsigned int i;

	for (i = 0; i < describe_count(); i++) {
		call = describe_call(i);
		printf("fuzz: call %-14s %8lu tried %8lu succeeded\n", call->name, totals.tried[i],
		       totals.succeeded[i]);
		if (totals.succeeded[i] || call->may_fail || !generate_enabled(i) || !demand)
			continue;
		printf("fuzz: %s never succeeded\n", call->name);
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

static void load_corpus(const char *path, struct random *random)
{
	FILE *file = fopen(path, "r");
	struct program program;

	while (file && !runner_finding() && read_program(file, &program))
		if (program.count && run(&program, totals.programs))
			corpus_add(&program, random);
	if (file)
		fclose(file);
}

static int do_run(long seconds, uint64_t seed, const char *corpus)
{
	long begin = now(), next = begin;
	struct random random = random_part(seed, 0);
	struct program program;

	printf("fuzz: seed %llu, %s\n", (unsigned long long)seed,
	       runner_has_coverage() ? "steered by coverage" : "no coverage in this kernel");
	if (corpus)
		load_corpus(corpus, &random);
	while (!runner_finding() && now() < begin + seconds) {
		struct random part = random_part(seed, totals.programs + 1);

		make_program(&program, &part);
		if (run(&program, totals.programs))
			corpus_add(&program, &part);
		if (now() < next)
			continue;
		next += REPORT_SECONDS;
		report(now() - begin);
	}
	report(now() - begin);
	if (runner_finding())
		return report_finding();
	corpus_dump(DUMP);
	return report_calls(seconds >= 120);
}

static int do_replay(const char *path, unsigned long times)
{
	FILE *file = fopen(path, "r");
	struct program program;
	unsigned long i, number;

	if (!file)
		return fprintf(stderr, "fuzz: %s: %s\n", path, strerror(errno)), 2;
	for (number = 0; !runner_finding() && read_program(file, &program); number++)
		for (i = 0; i < times && program.count && !runner_finding(); i++)
			run(&program, number);
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
	if (log_open())
		fprintf(stderr, "fuzz: programs are not noted in the kernel's log\n");
	return describe_check() || corpus_init() || runner_init(atoi(patience));
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
	if (!strcmp(mode, "run") && (argc == 5 || argc == 6))
		return start(argv[4]) ? 2 : do_run(atol(argv[2]), strtoull(argv[3], NULL, 0),
						   argv[5]);
	if (!strcmp(mode, "replay") && argc == 5)
		return start(argv[4]) ? 2 : do_replay(argv[2], atol(argv[3]));
	fputs(usage, stderr);
	return 2;
}
