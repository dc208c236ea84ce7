# a layer that goes stays above the service
# file: aem-core/layer.c
# kernel: 6.1
# tests: layer
/^	put_above(layer->name, NULL);/d
