// SPDX-License-Identifier: GPL-2.0
/*
 * Strings that pointers may point to, for FIELD_TEXT: enum text says which are what. Relative names
 * are of the directory in which a program works, see files.c.
 */
#include "describe.h"

#define TEN(_text)	_text _text _text _text _text _text _text _text _text _text

static const char *const texts[] = {
	/* TEXT_NAME: what programs make and remove. */
	"a", "b", "s", "d", "d/a", "d/b", "d/e", "d/e/a", "../all/a", "../all/d",
	/* TEXT_FILE: what they do not. */
	".", "..", "../all", "/", "/proc/self/comm", "/dev/aem", "/dev/null", "/sys/kernel", "",
	TEN(TEN("long")),
	/* TEXT_PATTERN */
	"*", "a*", "?", "[!a]", "[", "[a-", "\\", TEN("*a*b*") "*", TEN("longer"), TEN("longest"),
};

_Static_assert(ARRAY_SIZE(texts) == TEXT_END - TEXT_NAME, "as enum text knows them");

/* NULL if there is none with that number. */
const char *describe_text(uint64_t number)
{
	return number < TEXT_NAME || number >= TEXT_END ? NULL : texts[number - TEXT_NAME];
}
