# a lock is missing: an activation only turns interrupts off
# file: aem-core/active.c
# kernel: 6.1
# tests: nothing_lost
/^static void activate/,/^}/{
	s/raw_spin_lock_irqsave(&proc->lock, flags)/local_irq_save(flags)/
	s/raw_spin_unlock_irqrestore(&proc->lock, flags)/local_irq_restore(flags)/
}
