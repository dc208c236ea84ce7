# in a storm the interrupted program gets no turn
# file: libaem/storm.c
# kernel: 6.1
# tests: interrupt
s/^\(#define \(PRESSED\|BURSTS\)[[:space:]]*\).*/\1(1U << 31)/
