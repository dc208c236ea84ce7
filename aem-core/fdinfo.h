/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _AEM_CORE_FDINFO_H
#define _AEM_CORE_FDINFO_H

struct file;
struct seq_file;

void aem_fdinfo_show(struct seq_file *seq, struct file *file);

#endif /* _AEM_CORE_FDINFO_H */
