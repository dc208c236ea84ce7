// SPDX-License-Identifier: GPL-2.0
/*
 * aem-pexit-table: what looks at processes, for all versions of the service "pexit".
 *
 * A process ends but once. If each version had probes and a table of its own, an end that came
 * between the one letting go of a watch and the other taking it would be told by neither, or by
 * both. So the activation points are here, as timers and wait queues are the core's.
 */
#include "pexit.h"

static int __init aem_pexit_table_module_init(void)
{
	aem_pexit_table_init();
	return aem_pexit_probes_attach();
}
module_init(aem_pexit_table_module_init);

static void __exit aem_pexit_table_module_exit(void)
{
	aem_pexit_probes_detach();
}
module_exit(aem_pexit_table_module_exit);

MODULE_DESCRIPTION("Table of watched processes for the Asynchronous Event Mechanism");
MODULE_AUTHOR("The AEM authors");
MODULE_LICENSE("GPL");
