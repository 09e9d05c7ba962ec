/*
 * catalog_match.c - the columns a policy protects, looked for in a reading.
 *
 * The rule: the same globs over the same names as where masking decides; a
 * load has made sure that each has three parts.  Pure.
 */
#include <stdio.h>
#include <string.h>

#include "worker/postgres/catalog/catalog_match.h"

enum {
	MORE_ROOM = 64, /* for "and N more" */
	NAME_SHOWN_MAX = 130
};

struct pattern_parts {
	struct text schema, table, column;
};

static struct text
last_part(struct text *rest)
{
	const char *dot = memrchr(rest->at, '.', rest->len);
	struct text part = *rest;

	if (dot == NULL) {
		rest->len = 0;
		return part;
	}
	part.at = dot + 1;
	part.len = rest->len - (size_t)(part.at - rest->at);
	rest->len = (size_t)(dot - rest->at);
	return part;
}

static bool
relation_matches(const struct pattern_parts *p, const struct relation *r)
{
	size_t i;

	if (!text_glob(p->table, r->name) || !text_glob(p->schema, r->schema))
		return false;
	for (i = 0; i < r->column_count; i++) {
		if (r->columns[i].name.len > 0 && /* 0: dropped */
		    text_glob(p->column, r->columns[i].name))
			return true;
	}
	return false;
}

static bool
is_there(struct text pattern, const struct catalog_reading *reading)
{
	struct pattern_parts parts;
	size_t i;

	parts.column = last_part(&pattern);
	parts.table = last_part(&pattern);
	parts.schema = pattern;
	for (i = 0; i < reading->count; i++) {
		if (relation_matches(&parts, &reading->relations[i]))
			return true;
	}
	return false;
}

struct lines {
	char *out;
	size_t size, len;
	size_t missed; /* that had no room */
};

static void
add_line(struct lines *l, const struct protect *protect, struct text pattern,
    const char *place)
{
	size_t room = l->size - l->len - MORE_ROOM;
	int len = snprintf(l->out + l->len, room,
	    "protection \"%.*s\": %.*s matches no column in %s\n",
	    (int)protect->name.len, protect->name.at,
	    (int)(pattern.len < NAME_SHOWN_MAX ? pattern.len : NAME_SHOWN_MAX),
	    pattern.at, place);

	if (len > 0 && (size_t)len < room) {
		l->len += (size_t)len;
		return;
	}
	l->out[l->len] = '\0';
	l->missed++;
}

void
catalog_match(const struct policy *policy,
    const struct catalog_reading *reading, const char *place, char *out,
    size_t size)
{
	struct lines l = {.out = out, .size = size};
	size_t i, k;

	out[0] = '\0';
	for (i = 0; i < policy->protect_count; i++) {
		const struct protect *protect = &policy->protects[i];

		for (k = 0; k < protect->column_count; k++) {
			if (!is_there(protect->columns[k], reading))
				add_line(
				    &l, protect, protect->columns[k], place);
		}
	}
	if (l.missed > 0)
		snprintf(out + l.len, size - l.len,
		    "and %zu more that match no column\n", l.missed);
}
