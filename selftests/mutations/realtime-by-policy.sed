# the hint changes the owner's policy, which the owner can keep and its children copy
# file: aem-core/booster.c
# kernel: 6.1
# tests: hint_realtime
/^bool aem_booster_on(/,/^}/s/(booster->task)/(proc->owner)/
/^void aem_booster_off(/,/^}/s/(booster->task, MAX_NICE)/(proc->owner, task_nice(proc->owner))/
