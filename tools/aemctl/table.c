// SPDX-License-Identifier: GPL-2.0
/* Tables: as wide as what stands in them. */
#include <string.h>
#include "aemctl.h"

#define MAX_COLUMNS 32

static const char *cell(struct json_object *row, const char *key)
{
	struct json_object *value;
	const char *text;

	if (!json_object_object_get_ex(row, key, &value))
		return "-";
	text = json_object_get_string(value);
	return text && *text ? text : "-";
}

static void measure(struct json_object *rows, const struct column *columns, int *widths)
{
	for (int c = 0; columns[c].key; c++) {
		widths[c] = strlen(columns[c].title);
		for (size_t r = 0; r < json_object_array_length(rows); r++) {
			struct json_object *row = json_object_array_get_idx(rows, r);
			int width = strlen(cell(row, columns[c].key));

			if (width > widths[c])
				widths[c] = width;
		}
	}
}

static void print_cell(FILE *out, const char *text, const struct column *column, int width)
{
	bool last = !column[1].key;

	if (column->right)
		fprintf(out, "%*s", width, text);
	else
		fprintf(out, "%-*s", last ? 0 : width, text);
	fputs(last ? "\n" : "  ", out);
}

void table_print(FILE *out, struct json_object *rows, const struct column *columns)
{
	int widths[MAX_COLUMNS];

	measure(rows, columns, widths);
	for (int c = 0; columns[c].key; c++)
		print_cell(out, columns[c].title, &columns[c], widths[c]);
	for (size_t r = 0; r < json_object_array_length(rows); r++)
		for (int c = 0; columns[c].key; c++)
			print_cell(out, cell(json_object_array_get_idx(rows, r), columns[c].key),
				   &columns[c], widths[c]);
}
