# SPDX-License-Identifier: GPL-2.0
# Benchmarks: each tools/bench/GROUP/NAME.c with a main() is one, named in bench-NAMES of its
# group, and linked with what else lies in GROUP. liburing is asked for here alone.
bench-timer := timer-arm timer-fire capacity
bench-wake := wake interrupt priority hint
bench-memory := memory
bench-net := http echo
bench-pexit := pexit
bench-fd := fd
bench-swap := swap
bench-groups := timer wake memory net pexit fd swap

bench-common := $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard tools/bench/lib/*.c))
bench-flags := -Itools/bench/lib -Iselftests -pthread
$(BUILD)/obj/tools/bench/%.o: private FLAGS = $(bench-flags)

# bench-group GROUP
define bench-group
bench-$(1)-shared := $$(patsubst %.c,$$(BUILD)/obj/%.o,$$(filter-out \
	$$(bench-$(1):%=tools/bench/$(1)/%.c),$$(wildcard tools/bench/$(1)/*.c)))
$$(bench-$(1):%=$$(BUILD)/bench/bin/%): $$(BUILD)/bench/bin/%: \
		$$(BUILD)/obj/tools/bench/$(1)/%.o $$(bench-$(1)-shared) $$(bench-common) $$(LIBAEM)
	$$(call link,$$(CC),-pthread,-luring)
BENCHES += $$(bench-$(1):%=$$(BUILD)/bench/bin/%)
endef
# The parser of requests and the answers of http are those of aem-httpd.
bench-httpd := $(patsubst %,$(BUILD)/obj/tools/aem-httpd/%.o,request response files target types)
$(BUILD)/obj/tools/bench/net/%.o: private FLAGS = $(bench-flags) -Itools/aem-httpd $(llhttp-flags)
$(BUILD)/bench/bin/http: $(bench-httpd) $(llhttp-objects)

BENCHES :=
$(foreach group,$(bench-groups),$(eval $(call bench-group,$(group))))
.PHONY: benches
benches: $(BENCHES)
