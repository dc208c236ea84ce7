/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The directories in which programs work: one each, and one for all.
 */
#ifndef FUZZ_FILES_H
#define FUZZ_FILES_H

int files_make(unsigned int count);
int files_go(unsigned int index);
void files_clean(unsigned int index);
void files_clean_common(void);

#endif /* FUZZ_FILES_H */
