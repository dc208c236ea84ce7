# who was woken for an event, and comes too late for it, does not hear that the service was revoked
# file: aem-core/waiter.c
# kernel: 6.1
# tests: swap
/^static bool wait_is_over/,/^}/s/was_revoked(proc, waiter) || //
