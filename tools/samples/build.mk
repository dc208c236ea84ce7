# SPDX-License-Identifier: GPL-2.0
# Samples: each tools/samples/NAME.c is a program, built as build/samples/NAME, not installed.
sample-names := $(patsubst tools/samples/%.c,%,$(wildcard tools/samples/*.c))

$(BUILD)/samples/%: $(BUILD)/obj/tools/samples/%.o $(LIBAEM)
	$(call link,$(CC),-pthread)

PROGRAMS += $(sample-names:%=$(BUILD)/samples/%)
