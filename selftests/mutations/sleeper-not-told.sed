# threads that wait are not told that a service was revoked
# file: aem-core/revoke.c
# kernel: 6.1
# tests: swap
/^	wake_those_concerned(&hold);/d
/^static void wake_those_concerned/s/static/static __maybe_unused/
