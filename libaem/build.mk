# SPDX-License-Identifier: GPL-2.0
# libaem: static and shared, and static for 32-bit test programs.
libaem-sources := $(wildcard libaem/*.c libaem/*.S)
libaem-objects := $(addprefix $(BUILD)/obj/,$(addsuffix .o,$(basename $(libaem-sources))))
libaem-objects32 := $(libaem-objects:$(BUILD)/obj/%=$(BUILD)/obj32/%)
libaem-map := $(wildcard libaem/libaem.map)
libaem-so := libaem.so.0
libaem-flags := -fPIC -fvisibility=hidden -fexceptions -pthread -Ilibaem
libaem-flags += -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64

$(libaem-objects) $(libaem-objects32): private FLAGS := $(libaem-flags)

$(BUILD)/lib/libaem.a: $(libaem-objects)
	$(archive)
$(BUILD)/lib32/libaem.a: $(libaem-objects32)
	$(archive)
$(BUILD)/lib/$(libaem-so): $(libaem-objects) $(libaem-map)
	$(say) LD $@
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -shared -pthread -Wl,-soname,$(libaem-so) -Wl,-z,defs \
		$(addprefix -Wl$(comma)--version-script=,$(libaem-map)) \
		$(LDFLAGS) -o $@ $(libaem-objects)
$(BUILD)/lib/libaem.so: $(BUILD)/lib/$(libaem-so)
	$(Q)ln -sf $(libaem-so) $@
$(BUILD)/lib/aem.pc: libaem/aem.pc.in Makefile
	$(Q)mkdir -p $(@D)
	$(Q)sed 's|@PREFIX@|$(PREFIX)|; s|@VERSION@|$(VERSION)|' $< >$@

ifneq ($(libaem-sources),)
LIBAEM := $(BUILD)/lib/libaem.a
LIBAEM32 := $(BUILD)/lib32/libaem.a
LIBRARIES += $(LIBAEM) $(BUILD)/lib/libaem.so
LIBRARIES += $(if $(wildcard libaem/aem.pc.in),$(BUILD)/lib/aem.pc)
INSTALLS += install-libaem
endif

.PHONY: install-libaem
install-libaem: libaem
	install -d $(DESTDIR)$(PREFIX)/lib/pkgconfig $(DESTDIR)$(PREFIX)/include/aem \
		$(DESTDIR)$(PREFIX)/include/linux
	install -m 644 $(BUILD)/lib/libaem.a $(DESTDIR)$(PREFIX)/lib
	install -m 755 $(BUILD)/lib/$(libaem-so) $(DESTDIR)$(PREFIX)/lib
	ln -sf $(libaem-so) $(DESTDIR)$(PREFIX)/lib/libaem.so
	install -m 644 libaem/include/aem/*.h $(DESTDIR)$(PREFIX)/include/aem
	install -m 644 include/uapi/linux/aem*.h $(DESTDIR)$(PREFIX)/include/linux
	sed 's|@PREFIX@|$(PREFIX)|; s|@VERSION@|$(VERSION)|' libaem/aem.pc.in \
		>$(DESTDIR)$(PREFIX)/lib/pkgconfig/aem.pc
	tools/build/man $(DESTDIR)$(PREFIX)/share/man/man3
