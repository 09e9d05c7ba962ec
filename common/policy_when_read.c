/*
 * policy_when_read.c - a rule's `when` out of YAML.
 *
 * The rule: libc is asked for local times only while loading; its TZ is put
 * back as it was.  Loading happens in processes of one thread.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/policy_when.h"

#define ZONE_FOLDER "/usr/share/zoneinfo/"

enum {
	DAY = 86400,
	YEAR = 365 * DAY + DAY / 4,
	/* Changes closer together than this may go unseen; there are none. */
	ZONE_STEP = 5 * DAY,
};

static const char *const day_names[] = {
    "mon", "tue", "wed", "thu", "fri", "sat", "sun"};

static const char *const day_long_names[] = {"monday", "tuesday", "wednesday",
    "thursday", "friday", "saturday", "sunday"};

/* --- days ---------------------------------------------------------------- */

static int
day_number(struct text word)
{
	int i;

	for (i = 0; i < 7; i++) {
		if (text_is_folded(word, text_of(day_names[i])) ||
		    text_is_folded(word, text_of(day_long_names[i])))
			return i;
	}
	return -1;
}

/* "fri" or "fri-mon" as bits; 0: neither. */
static unsigned
day_bits(struct text word)
{
	const char *dash = memchr(word.at, '-', word.len);
	struct text from = word, to = word;
	unsigned bits = 0;
	int first, last;

	if (dash != NULL) {
		from.len = (size_t)(dash - word.at);
		to = (struct text){dash + 1, word.len - from.len - 1};
	}
	first = day_number(from);
	last = day_number(to);
	if (first < 0 || last < 0)
		return 0;
	for (; first != last; first = (first + 1) % 7)
		bits |= 1u << first;
	return bits | 1u << last;
}

static void
read_days(struct reading *r, const struct node *n, void *field)
{
	size_t count = reading_scalar_count(r, n), i;
	unsigned days = 0;

	for (i = 0; i < count; i++) {
		const struct node *word = reading_scalar(n, i);
		unsigned bits = day_bits(word->text);

		if (bits == 0)
			reading_unknown(r, word, "day", day_names, 7);
		days |= bits;
	}
	if (n->kind == NODE_LIST && n->count == 0)
		reading_complain(r, n, "`days` is empty");
	*(unsigned *)field = days;
}

/* --- hours --------------------------------------------------------------- */

/* "08:00" as minutes; false: it is not. */
static bool
parse_clock(struct text t, unsigned *out)
{
	unsigned hour, minute;
	size_t i;

	if (t.len != 5 || t.at[2] != ':')
		return false;
	for (i = 0; i < 5; i++) {
		if (i != 2 && (t.at[i] < '0' || t.at[i] > '9'))
			return false;
	}
	hour = (unsigned)(t.at[0] - '0') * 10 + (unsigned)(t.at[1] - '0');
	minute = (unsigned)(t.at[3] - '0') * 10 + (unsigned)(t.at[4] - '0');
	*out = hour * 60 + minute;
	return minute < 60 && *out <= WHEN_MINUTES;
}

static bool
read_span(struct reading *r, const struct node *n, struct hours *out)
{
	struct text t = n->text;

	if (t.len != 11 || t.at[5] != '-' ||
	    !parse_clock((struct text){t.at, 5}, &out->from) ||
	    !parse_clock((struct text){t.at + 6, 5}, &out->to) ||
	    out->from == WHEN_MINUTES) {
		reading_complain(r, n, "expected hours such as \"08:00-18:00\"");
		return false;
	}
	if (out->from == out->to) {
		reading_complain(r, n, "from %.5s to %.5s is no time at all",
		    t.at, t.at + 6);
		return false;
	}
	return true;
}

static void
read_hours(struct reading *r, const struct node *n, void *out)
{
	struct when *w = out;
	size_t count = reading_scalar_count(r, n), i;

	if (n->kind == NODE_LIST && n->count == 0)
		reading_complain(r, n, "`hours` is empty");
	w->hours = reading_array(r, count, sizeof(*w->hours));
	for (i = 0; w->hours != NULL && i < count; i++) {
		if (read_span(
			r, reading_scalar(n, i), &w->hours[w->hours_count]))
			w->hours_count++;
	}
}

/* --- the zone ------------------------------------------------------------ */

/* Is there a compiled zone of that name?  libc takes any name and quietly
 * means UTC by those it does not know. */
static bool
zone_exists(struct text name)
{
	char path[256], magic[4] = "";
	size_t i;
	int fd;
	ssize_t n;

	for (i = 0; i < name.len; i++) {
		unsigned char c = (unsigned char)name.at[i];

		if (strchr("/_+-", c) == NULL && (c < '0' || c > '9') &&
		    (c < 'A' || c > 'Z') && (c < 'a' || c > 'z'))
			return false;
	}
	if (name.len == 0 || name.len > 100 || name.at[0] == '/')
		return false;
	snprintf(path, sizeof(path), ZONE_FOLDER "%.*s", (int)name.len,
	    name.at);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, magic, sizeof(magic));
	close(fd);
	return n == sizeof(magic) && memcmp(magic, "TZif", 4) == 0;
}

static int64_t
offset_at(int64_t at)
{
	time_t t = (time_t)at;
	struct tm local;

	return localtime_r(&t, &local) == NULL ? 0 : local.tm_gmtoff;
}

/* The first second after `low` with another offset than it; there is one at
 * or before `high`. */
static int64_t
find_change(int64_t low, int64_t high)
{
	int64_t was = offset_at(low);

	while (high - low > 1) {
		int64_t middle = low + (high - low) / 2;

		if (offset_at(middle) == was)
			low = middle;
		else
			high = middle;
	}
	return high;
}

/* The zone's offsets around now, with TZ set to it. */
static void
gather_offsets(struct reading *r, struct when *w)
{
	int64_t now = (int64_t)time(NULL);
	int64_t at = now - (int64_t)WHEN_YEARS_BACK * YEAR;
	int64_t end = now + (int64_t)WHEN_YEARS_AHEAD * YEAR, next;
	struct offset found[WHEN_OFFSETS_MAX] = {{at, offset_at(at)}};
	size_t count = 1;

	for (; at < end && count < WHEN_OFFSETS_MAX; at = next) {
		next = at + ZONE_STEP;
		if (offset_at(next) == found[count - 1].seconds)
			continue;
		next = find_change(at, next);
		found[count].since = next;
		found[count++].seconds = offset_at(next);
	}
	w->offsets = reading_array(r, count, sizeof(*w->offsets));
	if (w->offsets == NULL)
		return;
	memcpy(w->offsets, found, count * sizeof(*found));
	w->offset_count = count;
}

static void
zone_switch(const char *to)
{
	if (to != NULL)
		setenv("TZ", to, 1);
	else
		unsetenv("TZ");
	tzset();
}

static void
resolve_zone(struct reading *r, struct when *w)
{
	const char *tz = getenv("TZ");
	char *before = tz == NULL ? NULL : strdup(tz);
	char path[256];

	if (tz != NULL && before == NULL) {
		r->err = ERR_MEMORY;
		return;
	}
	snprintf(path, sizeof(path), ":" ZONE_FOLDER "%.*s", (int)w->zone.len,
	    w->zone.at);
	/* UTC must be known where there is no tz database at all. */
	zone_switch(text_is(w->zone, TEXT("UTC")) ? "UTC0" : path);
	gather_offsets(r, w);
	zone_switch(before);
	free(before);
}

/* --- all of it ----------------------------------------------------------- */

static void
check_when(struct reading *r, const struct node *map, void *out)
{
	struct when *w = out;
	const struct node *zone = yaml_get(map, "zone");

	if (yaml_get(map, "days") == NULL && yaml_get(map, "hours") == NULL)
		reading_complain(r, map, "`when` needs `days` or `hours`");
	if (yaml_get(map, "days") == NULL)
		w->days = WHEN_DAYS;
	if (w->zone.len == 0)
		return;
	if (text_is(w->zone, TEXT("UTC")) || zone_exists(w->zone))
		resolve_zone(r, w);
	else
		reading_complain(r, zone, "unknown time zone `%.80s`",
		    w->zone.at);
}

static const struct schema when_schema = {
    .what = "a when",
    .size = sizeof(struct when),
    .check = check_when,
    .rows = (const struct row[]){
	{"days", FIELD_CUSTOM, .offset = offsetof(struct when, days),
	    .read = read_days},
	{"hours", FIELD_CUSTOM, .read = read_hours},
	{"zone", FIELD_TEXT, .offset = offsetof(struct when, zone),
	    .fallback = "UTC"},
	{0},
    },
};

void
when_read(struct reading *r, const struct node *n, void *field)
{
	struct when *w = reading_array(r, 1, sizeof(*w));

	if (w == NULL)
		return;
	schema_read(r, &when_schema, n, w);
	*(struct when **)field = w;
}
