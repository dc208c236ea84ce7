# SPDX-License-Identifier: GPL-2.0
# Each selftests/NAME.c or NAME.cc is a test program; one whose header says "m32" (see
# selftests/run) is built for 32 bits as well, statically, as selftests32/NAME. All are linked
# with libaem and with what lies in selftests/lib/. selftests/helpers/NAME.c are programs that
# tests use. selftests/host/NAME.c are test programs for this machine: they run parts of the
# modules that need no kernel, compiled against selftests/host/include.
test-names := $(patsubst selftests/%.c,%,$(wildcard selftests/*.c))
test-names++ := $(patsubst selftests/%.cc,%,$(wildcard selftests/*.cc))
test-names32 := $(patsubst selftests/%.c,%,$(if $(test-names),$(shell \
	grep -lE '\bvm:.*\bm32\b' $(test-names:%=selftests/%.c))))
test-helpers := $(patsubst selftests/helpers/%.c,%,$(wildcard selftests/helpers/*.c))
host-names := $(patsubst selftests/%.c,%,$(wildcard selftests/host/*.c))
test-shared := $(patsubst %.c,%.o,$(wildcard selftests/lib/*.c))

$(BUILD)/obj/selftests/% $(BUILD)/obj32/selftests/%: private FLAGS := -Iselftests -pthread
$(BUILD)/obj/selftests/host/% $(BUILD)/obj/aem-core/%: private FLAGS := \
	-Iselftests/host/include -Iinclude -pthread

$(BUILD)/selftests/%: $(BUILD)/obj/selftests/%.o $(addprefix $(BUILD)/obj/,$(test-shared)) $(LIBAEM)
	$(call link,$(CC),-pthread)
$(BUILD)/selftests32/%: $(BUILD)/obj32/selftests/%.o $(addprefix $(BUILD)/obj32/,$(test-shared)) $(LIBAEM32)
	$(call link,$(CC),-m32 -static -pthread)
# What each tests, of the modules.
$(BUILD)/selftests/host/buddy: $(BUILD)/obj/aem-core/buddy.o
$(host-names:%=$(BUILD)/selftests/%): $(BUILD)/selftests/%: $(BUILD)/obj/selftests/%.o
	$(call link,$(CC),-pthread)
$(test-names++:%=$(BUILD)/selftests/%): $(BUILD)/selftests/%: $(BUILD)/obj/selftests/%.o $(LIBAEM)
	$(call link,$(CXX),-pthread)

SELFTESTS += $(addprefix $(BUILD)/selftests/,$(test-names) $(test-names++) $(host-names) \
	$(test-helpers:%=helpers/%))
SELFTESTS += $(test-names32:%=$(BUILD)/selftests32/%)
