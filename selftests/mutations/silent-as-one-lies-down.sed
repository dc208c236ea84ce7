# what happened before another thread went to sleep does not interrupt the owner
# file: aem-core/doorbell.c
# kernel: 6.1
# tests: fair
/^u32 aem_doorbell_lie_down/,/^}/s/^	due = .*/	due = 0 * due_now(proc, \&owners_level) * level;/
