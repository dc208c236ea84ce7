# SPDX-License-Identifier: GPL-2.0
# What makes the device usable: its group, its rights, and the modules at boot. Where there is a
# system to be changed and not a DESTDIR to be filled, the group is made at once.
.PHONY: install-packaging
install-packaging:
	install -D -m 644 tools/packaging/60-aem.rules $(DESTDIR)/usr/lib/udev/rules.d/60-aem.rules
	install -D -m 644 tools/packaging/aem.conf $(DESTDIR)/usr/lib/modules-load.d/aem.conf
	install -D -m 644 tools/packaging/aem.sysusers $(DESTDIR)/usr/lib/sysusers.d/aem.conf
	$(if $(DESTDIR),,@getent group aem >/dev/null || groupadd --system aem)
	$(if $(DESTDIR),,@! command -v udevadm >/dev/null || udevadm control --reload)
INSTALLS += install-packaging
