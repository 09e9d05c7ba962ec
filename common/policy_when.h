/*
 * policy_when.h - days, hours and a time zone, as a rule's `when`.
 *
 * The zone's changes (summer time) are looked up once, at load, and kept in
 * the rule: deciding needs no file, no environment and no global.
 */
#ifndef SALLYPORT_POLICY_WHEN_H
#define SALLYPORT_POLICY_WHEN_H

#include <stdint.h>
#include <time.h>

#include "common/schema.h"

enum {
	WHEN_DAYS = 0x7f,	    /* all of them; bit 0 is Monday */
	WHEN_MINUTES = 24 * 60,	    /* of a day */
	WHEN_YEARS_BACK = 5,	    /* that the zone's changes are known */
	WHEN_YEARS_AHEAD = 30,
	WHEN_OFFSETS_MAX = 400,
};

/* Minutes of the local day, `to` not included. to <= from: over midnight,
 * belonging to the day it starts on. */
struct hours {
	unsigned from, to;
};

struct offset {
	int64_t since;	 /* Unix time */
	int64_t seconds; /* east of Greenwich */
};

struct when {
	unsigned days; /* bits */
	struct hours *hours; /* any of; none: the whole day */
	size_t hours_count;
	struct offset *offsets; /* in order; the first holds for before, too */
	size_t offset_count;	/* 1.. */
	struct text zone;	/* its name, for people */
};

/* Fill a `struct when *` field (a hook of schema.h) from {days, hours, zone}:
 * days: mon or mon-fri or a list; hours: "08:00-18:00" or a list, up to
 * 24:00; zone: a name of the tz database, UTC if absent. */
void when_read(struct reading *r, const struct node *n, void *field);

/* Does it hold at `now`? NULL always holds. */
bool when_holds(const struct when *w, time_t now);

#endif
