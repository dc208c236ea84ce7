# a layer is asked again when the core makes a call to another version
# file: aem-core/layer.c
# kernel: 6.1
# tests: layer
s/ || caller->other//
