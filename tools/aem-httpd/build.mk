# SPDX-License-Identifier: GPL-2.0
# aem-httpd: all of tools/aem-httpd/*.c. The parser of requests is llhttp, which Debian ships as
# sources (node-llhttp): they are compiled here and linked in. Strict: this is a server.
LLHTTP ?= /usr/share/llhttp
LLHTTP_INCLUDE ?= /usr/share/include/llhttp
llhttp-objects := $(patsubst %,$(BUILD)/obj/llhttp/%.o,api http llhttp)
llhttp-flags := -DLLHTTP_STRICT_MODE=1 -isystem $(LLHTTP_INCLUDE)

$(eval $(call program,aem-httpd,tools/aem-httpd))
$(aem-httpd-objects): private FLAGS += $(llhttp-flags) -DAEM_VERSION='"$(VERSION)"'
$(BUILD)/tools/aem-httpd: $(llhttp-objects)

# Not our code: its warnings are its authors'.
$(BUILD)/obj/llhttp/%.o: $(LLHTTP)/%.c
	$(say) CC $@
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 -w $(llhttp-flags) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<
$(LLHTTP)/%.c:
	@echo "make: $@ is missing: apt-get install node-llhttp" >&2; exit 1

# For its tests: itself and libaem with every access to memory checked.
asan-flags := -fsanitize=address,undefined -fno-omit-frame-pointer
asan-objects := $(patsubst %.c,$(BUILD)/asan/%.o,$(wildcard tools/aem-httpd/*.c libaem/*.c))
$(BUILD)/asan/libaem/%.o: private FLAGS = $(libaem-flags)
$(BUILD)/asan/tools/%.o: private FLAGS = -Itools/aem-httpd -pthread $(llhttp-flags) \
	-DAEM_VERSION='"$(VERSION)"'
$(BUILD)/asan/%.o: %.c Makefile
	$(call compile-to,CC,$(CC),-std=gnu11 $(CFLAGS) $(asan-flags))
$(BUILD)/asan/aem-httpd: $(asan-objects) $(llhttp-objects) \
		$(patsubst %.S,$(BUILD)/obj/%.o,$(wildcard libaem/*.S))
	$(call link,$(CC),-pthread $(asan-flags))
SELFTESTS += $(if $(asan-objects),$(BUILD)/asan/aem-httpd)
