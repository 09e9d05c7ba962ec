/*
 * policy_when.c - does a rule's `when` hold?
 *
 * The rule: arithmetic only; no file, no environment, no global.
 */
#include "common/policy_when.h"

enum { DAY = 86400 };

static int64_t
local_time(const struct when *w, int64_t now)
{
	size_t low = 0, high = w->offset_count;

	/* The last offset that had begun by now; before all, the first. */
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (w->offsets[middle].since <= now)
			low = middle;
		else
			high = middle;
	}
	return now + (w->offset_count > 0 ? w->offsets[low].seconds : 0);
}

static bool
has_day(const struct when *w, unsigned day)
{
	return (w->days >> day % 7 & 1) != 0;
}

static bool
hours_hold(const struct when *w, const struct hours *h, unsigned day,
    unsigned minute)
{
	if (h->from < h->to)
		return has_day(w, day) && minute >= h->from && minute < h->to;
	return (has_day(w, day) && minute >= h->from) ||
	    (has_day(w, day + 6) && minute < h->to);
}

bool
when_holds(const struct when *w, time_t now)
{
	int64_t local, days;
	unsigned day, minute;
	size_t i;

	if (w == NULL)
		return true;
	local = local_time(w, (int64_t)now);
	days = local / DAY - (local % DAY < 0);
	minute = (unsigned)((local - days * DAY) / 60);
	day = (unsigned)(((days + 3) % 7 + 7) % 7); /* 1970 began a Thursday */
	for (i = 0; i < w->hours_count; i++) {
		if (hours_hold(w, &w->hours[i], day, minute))
			return true;
	}
	return w->hours_count == 0 && has_day(w, day);
}
