# records that nobody could be told of are not told again
# file: aem-core/device.c
# kernel: debug
# tests: fail_delivery
s/aem_enter_untold(proc, &arg->enter);/(void)proc;/
