// SPDX-License-Identifier: GPL-2.0
/*
 * The configuration: sections in brackets, one for each program, with lines of "key = value".
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "supervise.h"

#define SECOND	1000000000.0

void settings_free(struct settings *settings)
{
	free(settings->name);
	free(settings->command);
	memset(settings, 0, sizeof(*settings));
}

static void defaults(struct settings *settings)
{
	memset(settings, 0, sizeof(*settings));
	settings->delay = (uint64_t)(0.1 * SECOND);
	settings->max_delay = (uint64_t)(60 * SECOND);
	settings->backoff = 2;
	settings->limit = 10;
	settings->window = (uint64_t)(60 * SECOND);
	settings->always = true;
}

/* Cuts what is blank off both ends. */
static char *trim(char *text)
{
	char *end;

	while (isspace((unsigned char)*text))
		text++;
	end = text + strlen(text);
	while (end > text && isspace((unsigned char)end[-1]))
		end--;
	*end = '\0';
	return text;
}

static bool number(const char *text, double most, double *value)
{
	char *end;

	*value = strtod(text, &end);
	return end != text && !*end && *value >= 0 && *value <= most;
}

static bool set_time(const char *text, uint64_t *time)
{
	double value;

	if (!number(text, 1e6, &value))
		return false;
	*time = (uint64_t)(value * SECOND);
	return true;
}

static bool set_command(struct settings *settings, const char *text)
{
	free(settings->command);
	return asprintf(&settings->command, "exec %s", text) > 0 && *text;
}

static bool set(struct settings *settings, const char *key, const char *text)
{
	double value;

	if (!strcmp(key, "command"))
		return set_command(settings, text);
	if (!strcmp(key, "delay"))
		return set_time(text, &settings->delay);
	if (!strcmp(key, "max-delay"))
		return set_time(text, &settings->max_delay);
	if (!strcmp(key, "window"))
		return set_time(text, &settings->window);
	if (!strcmp(key, "heartbeat"))
		return set_time(text, &settings->heartbeat);
	if (!strcmp(key, "restart")) {
		settings->always = !strcmp(text, "always");
		return settings->always || !strcmp(text, "on-failure");
	}
	if (!strcmp(key, "backoff") && number(text, 1000, &value) && value >= 1) {
		settings->backoff = value;
		return true;
	}
	if (!strcmp(key, "limit") && number(text, 1e6, &value)) {
		settings->limit = (unsigned int)value;
		return true;
	}
	return false;
}

/* The section is complete: 0 or -errno. */
static int finish(struct settings *settings, config_fn each)
{
	int ret = 0;

	if (settings->name)
		ret = settings->command ? each(settings) : -EINVAL;
	settings_free(settings);
	return ret;
}

static int begin(struct settings *settings, char *line, config_fn each)
{
	char *end = strchr(line, ']');
	int ret = finish(settings, each);

	defaults(settings);
	if (ret || !end || end[1] || end == line + 1)
		return ret ? ret : -EINVAL;
	*end = '\0';
	settings->name = strdup(line + 1);
	return settings->name ? 0 : -ENOMEM;
}

static int read_line(struct settings *settings, char *line, config_fn each)
{
	char *value;

	line = trim(line);
	if (!*line || *line == '#' || *line == ';')
		return 0;
	if (*line == '[')
		return begin(settings, line, each);
	value = strchr(line, '=');
	if (!value || !settings->name)
		return -EINVAL;
	*value = '\0';
	return set(settings, trim(line), trim(value + 1)) ? 0 : -EINVAL;
}

/**
 * config_read() - read all sections
 * @path: of the file
 * @each: called for each section; may take @name and @command over by clearing them
 *
 * Return: 0; -errno, and the line was named.
 */
int config_read(const char *path, config_fn each)
{
	struct settings settings = { 0 };
	FILE *file = fopen(path, "re");
	size_t room = 0, n = 0;
	char *line = NULL;
	int ret = 0;

	if (!file)
		return -errno;
	while (!ret && getline(&line, &room, file) >= 0) {
		n++;
		ret = read_line(&settings, line, each);
	}
	if (!ret)
		ret = finish(&settings, each);
	if (ret)
		say("%s:%zu: %s", path, n, ret == -EINVAL ? "not understood" : strerror(-ret));
	settings_free(&settings);
	free(line);
	fclose(file);
	return ret;
}
