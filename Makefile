# SPDX-License-Identifier: GPL-2.0
# AEM: kernel modules, library, tools and tests. `make help` lists what there is to make.
#
# Each part of user space has a build.mk of its own, included below. It adds to LIBRARIES,
# PROGRAMS, SELFTESTS and INSTALLS, writes only into $(BUILD), and adds nothing where its sources
# are absent. It has these to build with: objects come from sources by the rules below, with what
# the target-specific FLAGS adds; $(archive) and $(call link,COMPILER,FLAGS,LIBRARIES) are recipes;
# $(call program,NAME,DIR,PACKAGES,LIBRARIES) is all of a tool. Modules are built by
# tools/build/modules, once for each kernel, in $(BUILD)/modules/RELEASE/.

BUILD ?= $(or $(AEM_BUILD),build)
PREFIX ?= /usr/local
VERSION := 0.1.0
# The kernel of the guests unless KERNEL names another.
GUEST = $(or $(KERNEL),6.1)

CC := gcc
CXX := g++
CFLAGS ?= -O2 -g
CXXFLAGS ?= $(CFLAGS)
WARNINGS := -Wall -Wextra -Werror
INCLUDES := -Ilibaem/include -Iinclude/uapi

LIBRARIES :=
PROGRAMS :=
SELFTESTS :=
INSTALLS :=

.PHONY: all
all: modules user

.DELETE_ON_ERROR:
.SECONDARY:
MAKEFLAGS += --no-builtin-rules

comma := ,
Q := $(if $(V),,@)
say := @printf '  %-7s %s\n'

compile = $(2) $(INCLUDES) $(FLAGS) $(CPPFLAGS) $(3) $(WARNINGS) -MMD -MP -c -o $@ $<
define compile-to
	$(say) $(1) $@
	$(Q)mkdir -p $(@D)
	$(Q)$(compile)
endef
define archive
	$(say) AR $@
	$(Q)mkdir -p $(@D)
	$(Q)rm -f $@
	$(Q)ar rcs $@ $^
endef
# link COMPILER, FLAGS, LIBRARIES
define link
	$(say) LD $@
	$(Q)mkdir -p $(@D)
	$(Q)$(1) $(2) $(LDFLAGS) -o $@ $(filter %.o %.a,$^) $(3)
endef

$(BUILD)/obj/%.o: %.c Makefile
	$(call compile-to,CC,$(CC),-std=gnu11 $(CFLAGS))
$(BUILD)/obj/%.o: %.S Makefile
	$(call compile-to,AS,$(CC),$(CFLAGS))
$(BUILD)/obj/%.o: %.cc Makefile
	$(call compile-to,CXX,$(CXX),$(CXXFLAGS))
$(BUILD)/obj32/%.o: %.c Makefile
	$(call compile-to,CC32,$(CC) -m32,-std=gnu11 $(CFLAGS))
$(BUILD)/obj32/%.o: %.S Makefile
	$(call compile-to,AS32,$(CC) -m32,$(CFLAGS))

# program NAME, DIR, PACKAGES of pkg-config, LIBRARIES: from all of DIR/*.c
define program
$(1)-objects := $$(patsubst %.c,$$(BUILD)/obj/%.o,$$(wildcard $(2)/*.c))
$$($(1)-objects): private FLAGS = -I$(2) -pthread $(if $(3),$$(shell pkg-config --cflags $(3)))
$$(BUILD)/tools/$(1): $$($(1)-objects) $$(LIBAEM)
	$$(call link,$$(CC),-pthread,$(if $(3),$$(shell pkg-config --libs $(3))) $(4))
.PHONY: install-$(1)
install-$(1): $$(BUILD)/tools/$(1)
	install -D -m 755 $$< $$(DESTDIR)$$(PREFIX)/bin/$(1)
	install -D -m 644 $(2)/$(1).1 $$(DESTDIR)$$(PREFIX)/share/man/man1/$(1).1
PROGRAMS += $$(if $$($(1)-objects),$$(BUILD)/tools/$(1))
INSTALLS += $$(if $$($(1)-objects),install-$(1))
endef

include $(wildcard libaem/build.mk)
include $(wildcard tools/*/build.mk selftests/build.mk)

.PHONY: user libaem tools selftests
user: libaem tools
libaem: $(LIBRARIES)
tools: $(PROGRAMS)
selftests: $(SELFTESTS)

# Modules: for KERNEL, a name in tools/build/kernels, or KDIR, a directory of headers.
# With SERVICE=aem-timer VERSION_SUFFIX=_2, version 2 of that service as a module of its own, too.
build-modules = tools/build/modules -b $(BUILD) $(if $(MODULES),-m "$(MODULES)") \
	$(if $(VERSION_SUFFIX),-s "$(SERVICE)$(VERSION_SUFFIX)") $(1)
kernel-option = $(if $(KERNEL),-k $(KERNEL),$(if $(KDIR),-d $(KDIR)))

.PHONY: modules guest-modules modules_install
modules:
	@$(call build-modules,$(kernel-option))
guest-modules:
	@$(call build-modules,-k $(GUEST))
# The modules of the tests stay here.
modules_install: MODULES := $(or $(MODULES),$(patsubst %/Kbuild,%,$(wildcard aem-*/Kbuild)))
modules_install: modules
	@$(call build-modules,$(kernel-option) -t modules_install \
		-- $(if $(DESTDIR),INSTALL_MOD_PATH="$(abspath $(DESTDIR))"))

.PHONY: install
install: modules_install $(INSTALLS)

# What runs in a guest installs first what is missing on this machine.
.PHONY: demo check check-all bench bench-gate bench-accept shell
demo:
	@tools/build/need base modules tools guest demo
	@test -x tools/demo/run || { echo 'make: there is no demo yet (tools/demo/run)' >&2; exit 1; }
	+@$(MAKE) -j$(shell nproc) --no-print-directory user guest-modules
	@AEM_BUILD=$(BUILD) AEM_VM_KERNEL=$(GUEST) tools/demo/run

check:
	$(if $(KDIR),$(error a guest boots a kernel of tools/build/kernels: say KERNEL=name instead of KDIR))
	@tools/build/need base modules tools guest test demo
	@tools/build/kernel fetch $(GUEST)
	+@$(MAKE) -j$(shell nproc) --no-print-directory user selftests guest-modules
	@selftests/run --build $(BUILD) --kernel $(GUEST) $(if $(TEST),--test '$(TEST)') \
		$(if $(SEED),--seed $(SEED)) $(if $(DURATION),--seconds $(DURATION)) \
		$(if $(SWAPS),--swaps $(SWAPS)) $(if $(PROCESSES),--processes $(PROCESSES))

# The same for longer, with everything at once.
.PHONY: soak mutations
soak:
	+@$(MAKE) --no-print-directory check TEST=soak DURATION=$$(($(or $(MINUTES),10) * 60))

# Bugs put in on purpose: each must be found.
mutations:
	+@tools/build/mutate -b $(BUILD) $(MUTATIONS)

# Which lines of the modules the tests execute; TEST narrows it.
.PHONY: coverage
coverage:
	@tools/build/need base modules tools guest test demo
	@tools/build/kernel fetch debug
	@tools/build/coverage --build $(BUILD) $(if $(TEST),--test '$(TEST)') $(COVERAGE)

# The fuzzer: MINUTES, SEED, and whatever else tools/fuzz/fuzz knows in FUZZ.
.PHONY: fuzz
fuzz: GUEST = $(or $(KERNEL),debug)
fuzz:
	@tools/build/need base modules guest
	@tools/build/kernel fetch $(GUEST)
	+@$(MAKE) --no-print-directory $(BUILD)/selftests/fuzz/fuzz
	@$(call build-modules,-k $(GUEST))
	@tools/fuzz/fuzz --build $(BUILD) --kernel $(GUEST) --minutes $(or $(MINUTES),10) \
		$(if $(SEED),--seed $(SEED)) $(FUZZ)

check-all:
	@tools/build/check-all -b $(BUILD) $(if $(MINUTES),-m $(MINUTES))

shell:
	@tools/build/need base modules guest
	+@$(MAKE) --no-print-directory guest-modules user
	@tools/vm/aem-vm --build $(BUILD) --kernel $(GUEST) --interactive \
		$(addprefix --file ,$(wildcard $(BUILD)/tools)) -- sh -i

# BENCH=name: only that one; large ones only so.
bench bench-gate bench-accept:
	@tools/build/need base modules tools guest bench
	@tools/build/kernel fetch $(GUEST)
	+@$(MAKE) --no-print-directory benches guest-modules
	@tools/bench/run --build $(BUILD) --kernel $(GUEST) \
		$(if $(filter bench-%,$@),$(@:bench-%=--%),$(BENCH))

.PHONY: lint
lint:
	@tools/build/need base modules lint
	@tools/build/lint -b $(BUILD) -k $(GUEST)

.PHONY: clean
clean:
	rm -rf $(BUILD)

.PHONY: help
help:
	@cat tools/build/help

-include $(shell find $(BUILD)/obj $(BUILD)/obj32 $(BUILD)/asan -name '*.d' 2>/dev/null)
