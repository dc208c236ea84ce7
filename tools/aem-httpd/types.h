/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TYPES_H
#define TYPES_H

/* The content type of a file by the end of its name. */
const char *type_of(const char *path);

#endif /* TYPES_H */
