# SPDX-License-Identifier: GPL-2.0
# The program that tools/fuzz/fuzz runs in guests: all of selftests/fuzz/. Static, for it executes
# itself in address spaces that have seen everything.
fuzz-objects := $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard selftests/fuzz/*.c))

$(BUILD)/selftests/fuzz/fuzz: $(fuzz-objects)
	$(call link,$(CC),-static -pthread)

SELFTESTS += $(BUILD)/selftests/fuzz/fuzz
