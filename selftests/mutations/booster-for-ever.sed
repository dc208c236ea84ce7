# who has lent one owner its priority never leaves it for another
# file: aem-core/booster.c
# kernel: 6.1
# tests: hint_realtime
s/time_before(jiffies, booster->since + TENURE)/true/
