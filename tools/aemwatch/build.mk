# SPDX-License-Identifier: GPL-2.0
# aemwatch: all of tools/aemwatch/*.c; JSON by libjson-c.
$(eval $(call program,aemwatch,tools/aemwatch,json-c))
