# SPDX-License-Identifier: GPL-2.0
# aem-supervise: all of tools/aem-supervise/*.c.
$(eval $(call program,aem-supervise,tools/aem-supervise))
