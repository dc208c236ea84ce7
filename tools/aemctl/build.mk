# SPDX-License-Identifier: GPL-2.0
# aemctl: all of tools/aemctl/*.c; JSON by libjson-c.
$(eval $(call program,aemctl,tools/aemctl,json-c))
$(aemctl-objects): private FLAGS += -DAEM_VERSION='"$(VERSION)"'
