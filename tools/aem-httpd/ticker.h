/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TICKER_H
#define TICKER_H

#include <stdbool.h>
#include <stdint.h>
#include <aem/aem.h>

struct work;

/**
 * struct tick - one timer
 * @ticker:   whose
 * @id:       event
 * @interval: of it, in nanoseconds
 * @first:    when it was to expire first
 * @last:     when it has expired last
 * @count:    how often it has expired
 */
struct tick {
	struct ticker *ticker;
	aem_id id;
	uint64_t interval;
	uint64_t first;
	uint64_t last;
	uint64_t count;
};

/**
 * struct ticker - periodic timers that count
 * @n:      timers
 * @ticks:  them
 * @work:   what they look at, or NULL
 * @torn:   times that they saw it half done
 */
struct ticker {
	unsigned int n;
	struct tick *ticks;
	const struct work *work;
	uint64_t torn;
};

/* Ends the program if it cannot. */
void ticker_start(struct ticker *ticker, struct aem *aem, unsigned int n, const struct work *work);
void ticker_stop(struct ticker *ticker, struct aem *aem);
void ticker_free(struct ticker *ticker);

uint64_t ticker_count(const struct ticker *ticker);
/* Ticks that should have come until each timer's last one and did not. */
int64_t ticker_lost(const struct ticker *ticker);

#endif /* TICKER_H */
