/*
 * mask_time.c - masks on dates and times.
 *
 * The rule: a moment is read from either format into days and microseconds,
 * masked there, and written back.  Text is read in the ISO style alone: in
 * any other DateStyle 02/03 is ambiguous, and the value becomes NULL.
 */
#include <stdarg.h>
#include <stdio.h>

#include "common/mask_inner.h"

enum {
	YEAR_DIGITS_MAX = 6,
	MONTHS = 12,
	/* 2000-01-01, day 0 of the binary formats, in days from the algorithm's
	 * 1 March of year 0 */
	EPOCH_SHIFT = 730425,
	FOUR_CENTURIES = 146097, /* days */
};

static const int64_t second = 1000000;
static const int64_t whole_day = 86400000000;

struct moment {
	int64_t day;	/* from 2000-01-01 */
	int64_t micros; /* of the day, or the time alone */
	int64_t zone;	/* seconds east of Greenwich */
	bool has_time, has_zone;
};

/* --- the calendar --------------------------------------------------------- */

static int64_t
floor_divide(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

/* Proleptic Gregorian, year 0 is 1 BC. Years are counted from March, so that
 * the leap day is the last of its year. */
static int64_t
day_of(int64_t year, int64_t month, int64_t day)
{
	int64_t shifted = year - (month < 3);
	int64_t era = floor_divide(shifted, 400), in_era = shifted - era * 400;
	int64_t from_march = (month + 9) % MONTHS;

	return era * FOUR_CENTURIES + in_era * 365 + in_era / 4 -
	    in_era / 100 + (153 * from_march + 2) / 5 + day - 1 - EPOCH_SHIFT;
}

static void
day_split(int64_t from_2000, int64_t *year, int64_t *month, int64_t *day)
{
	int64_t shifted = from_2000 + EPOCH_SHIFT;
	int64_t era = floor_divide(shifted, FOUR_CENTURIES);
	int64_t left = shifted - era * FOUR_CENTURIES;
	int64_t in_era =
	    (left - left / 1460 + left / 36524 - left / 146096) / 365;
	int64_t of_year = left - (365 * in_era + in_era / 4 - in_era / 100);
	int64_t from_march = (5 * of_year + 2) / 153;

	*day = of_year - (153 * from_march + 2) / 5 + 1;
	*month = from_march < 10 ? from_march + 3 : from_march - 9;
	*year = in_era + era * 400 + (*month < 3);
}

/* --- reading text --------------------------------------------------------- */

struct reader {
	struct text rest;
	bool has_failed; /* sticky */
};

static bool
reader_has(struct reader *r, char c)
{
	if (r->has_failed || r->rest.len == 0 || r->rest.at[0] != c)
		return false;
	r->rest.at++;
	r->rest.len--;
	return true;
}

/* A number of `least` to `most` digits. */
static int64_t
reader_number(struct reader *r, size_t least, size_t most)
{
	int64_t number = 0;
	size_t i = 0;

	while (i < most && i < r->rest.len && r->rest.at[i] >= '0' &&
	    r->rest.at[i] <= '9')
		number = number * 10 + (r->rest.at[i++] - '0');
	if (i < least)
		r->has_failed = true;
	r->rest.at += i;
	r->rest.len -= i;
	return number;
}

static int64_t
reader_after(struct reader *r, char mark)
{
	if (!reader_has(r, mark))
		r->has_failed = true;
	return reader_number(r, 2, 2);
}

static void
read_clock(struct reader *r, struct moment *m)
{
	int64_t seconds = 3600 * reader_number(r, 2, 2), fraction = 0;
	size_t digits;

	seconds += 60 * reader_after(r, ':');
	seconds += reader_after(r, ':');
	m->micros = seconds * second;
	if (reader_has(r, '.')) {
		digits = r->rest.len;
		fraction = reader_number(r, 1, 6);
		for (digits -= r->rest.len; digits < 6; digits++)
			fraction *= 10;
		m->micros += fraction;
	}
	m->has_time = true;
	if (m->micros > whole_day)
		r->has_failed = true;
}

static void
read_zone(struct reader *r, struct moment *m)
{
	bool is_west = reader_has(r, '-');

	if (!is_west && !reader_has(r, '+'))
		return;
	m->has_zone = true;
	m->zone = 3600 * reader_number(r, 2, 2);
	if (r->rest.len > 0 && r->rest.at[0] == ':')
		m->zone += 60 * reader_after(r, ':');
	if (r->rest.len > 0 && r->rest.at[0] == ':')
		m->zone += reader_after(r, ':');
	if (is_west)
		m->zone = -m->zone;
}

static bool
read_moment(struct text value, struct moment *out)
{
	struct reader r = {value, false};
	int64_t year = reader_number(&r, 4, YEAR_DIGITS_MAX + 1);
	int64_t month = reader_after(&r, '-'), day = reader_after(&r, '-');
	bool has_more;

	has_more = reader_has(&r, ' ');
	if (has_more && r.rest.len > 0 && r.rest.at[0] != 'B') {
		read_clock(&r, out);
		read_zone(&r, out);
		has_more = reader_has(&r, ' ');
	}
	if (has_more) {
		if (!text_is(r.rest, TEXT("BC")))
			return false;
		r.rest.len = 0;
		year = 1 - year;
	}
	out->day = day_of(year, month, day);
	return !r.has_failed && r.rest.len == 0 && month >= 1 &&
	    month <= MONTHS && day >= 1 && day <= 31;
}

/* --- writing text --------------------------------------------------------- */

static void __attribute__((format(printf, 3, 4)))
append(char *line, size_t size, const char *format, ...)
{
	size_t len = strnlen(line, size);
	va_list list;

	va_start(list, format);
	vsnprintf(line + len, size - len, format, list);
	va_end(list);
}

static void
append_clock(char *line, size_t size, int64_t micros)
{
	int64_t seconds = micros / second, fraction = micros % second;
	size_t len;

	append(line, size, "%02d:%02d:%02d", (int)(seconds / 3600),
	    (int)(seconds / 60 % 60), (int)(seconds % 60));
	if (fraction == 0)
		return;
	append(line, size, ".%06d", (int)fraction);
	for (len = strnlen(line, size); line[len - 1] == '0'; len--)
		line[len - 1] = '\0';
}

static void
append_zone(char *line, size_t size, int64_t zone)
{
	int64_t east = zone < 0 ? -zone : zone;

	append(line, size, "%c%02d", zone < 0 ? '-' : '+', (int)(east / 3600));
	if (east % 3600 != 0)
		append(line, size, ":%02d", (int)(east / 60 % 60));
	if (east % 60 != 0)
		append(line, size, ":%02d", (int)(east % 60));
}

static bool
write_moment(
    const struct mask_job *j, const struct moment *m, struct text *out)
{
	char line[96] = "";
	int64_t year, month, day;

	day_split(m->day, &year, &month, &day);
	append(line, sizeof(line), "%04lld-%02d-%02d",
	    (long long)(year > 0 ? year : 1 - year), (int)month, (int)day);
	if (m->has_time) {
		append(line, sizeof(line), " ");
		append_clock(line, sizeof(line), m->micros);
	}
	if (m->has_zone)
		append_zone(line, sizeof(line), m->zone);
	return mask_printf(j, out, "%s%s", line, year > 0 ? "" : " BC");
}

/* --- the masks ------------------------------------------------------------ */

/* Another day of the same year, keyed by the day alone: a date and the date
 * of a timestamp keep matching. */
static bool
other_day(const struct mask_job *j, int64_t *day)
{
	int64_t year, month, of_month, first, len, in_year;
	struct keyed k;

	day_split(*day, &year, &month, &of_month);
	first = day_of(year, 1, 1);
	len = day_of(year + 1, 1, 1) - first;
	in_year = *day - first;
	keyed_start(&k, j->key, "day",
	    (struct text){(const char *)day, sizeof(*day)}, 0);
	in_year += 1 + keyed_below(&k, (uint32_t)(len - 1));
	*day = first + in_year % len;
	return !k.has_failed;
}

/* Another time of day; midnight, whole minutes and whole seconds stay such. */
static bool
other_time(const struct mask_job *j, int64_t day, int64_t *micros)
{
	int64_t grain = *micros % second != 0 ? 1
	    : *micros % (60 * second) != 0	 ? second
						 : 60 * second;
	int64_t both[2] = {day, *micros}, was = *micros;
	struct keyed k;

	if (*micros == 0 || *micros >= whole_day)
		return true;
	keyed_start(&k, j->key, "time",
	    (struct text){(const char *)both, sizeof(both)}, 0);
	*micros = keyed_below(&k, 1440) * 60 * second;
	if (grain < 60 * second)
		*micros += keyed_below(&k, 60) * second;
	if (grain == 1)
		*micros += 1 + keyed_below(&k, 999999);
	if (*micros == was)
		*micros = (was + 60 * second) % whole_day;
	return !k.has_failed;
}

static bool
mask_moment(const struct mask_job *j, struct moment *m)
{
	int64_t year, month, day, was = m->day;

	if (j->mask == MASK_PSEUDONYM)
		return other_day(j, &m->day) && other_time(j, was, &m->micros);
	if (j->mask != MASK_YEAR)
		return false;
	day_split(m->day, &year, &month, &day);
	m->day = day_of(year, 1, 1);
	m->micros = 0;
	return true;
}

/* The limits that timestamps have in the server, and dates at the lower end:
 * what is outside is an infinity, a date too far away to matter, or nonsense. */
static bool
is_in_calendar(int64_t day)
{
	return day >= day_of(-4713, 11, 24) && day < day_of(294277, 1, 1);
}

/* Mask what is within the limits into what is. */
static bool
mask_in_calendar(const struct mask_job *j, struct moment *m)
{
	return is_in_calendar(m->day) && mask_moment(j, m) &&
	    is_in_calendar(m->day);
}

bool
mask_date(const struct mask_job *j, struct text *out)
{
	struct moment m = {0};
	uint8_t bytes[4];

	if (j->type.is_binary && j->value.len != sizeof(bytes))
		return false;
	if (j->type.is_binary)
		m.day = (int32_t)mask_get(j->value.at, sizeof(bytes));
	else if (!read_moment(j->value, &m) || m.has_time)
		return false;
	if (!mask_in_calendar(j, &m))
		return false;
	if (!j->type.is_binary)
		return write_moment(j, &m, out);
	mask_put(bytes, sizeof(bytes), (uint64_t)m.day);
	return mask_bytes(j, out, bytes, sizeof(bytes));
}

/* Text of a timestamptz is brought to Greenwich, as binary is, so that both
 * formats have the same mask. */
static void
to_greenwich(struct moment *m)
{
	m->micros -= m->zone * second;
	m->day += floor_divide(m->micros, whole_day);
	m->micros -= floor_divide(m->micros, whole_day) * whole_day;
	m->zone = 0;
}

bool
mask_timestamp(const struct mask_job *j, struct text *out)
{
	struct moment m = {.has_time = true};
	uint8_t bytes[8];
	int64_t stamp;

	if (j->type.is_binary && j->value.len != sizeof(bytes))
		return false;
	if (j->type.is_binary) {
		stamp = (int64_t)mask_get(j->value.at, sizeof(bytes));
		m.day = floor_divide(stamp, whole_day);
		m.micros = stamp % whole_day; /* no multiplying: it may */
		m.micros += m.micros < 0 ? whole_day : 0; /* overflow */
	} else if (!read_moment(j->value, &m) || !m.has_time ||
	    m.has_zone != (j->type.oid == TYPE_TIMESTAMPTZ)) {
		return false;
	}
	to_greenwich(&m);
	if (!mask_in_calendar(j, &m))
		return false;
	if (!j->type.is_binary)
		return write_moment(j, &m, out);
	stamp = m.day * whole_day + m.micros;
	mask_put(bytes, sizeof(bytes), (uint64_t)stamp);
	return mask_bytes(j, out, bytes, sizeof(bytes));
}

/* --- time of day ---------------------------------------------------------- */

static bool
read_time(const struct mask_job *j, bool wants_zone, struct moment *m)
{
	struct reader r = {j->value, false};

	if (!j->type.is_binary) {
		read_clock(&r, m);
		read_zone(&r, m);
		return !r.has_failed && r.rest.len == 0 &&
		    m->has_zone == wants_zone;
	}
	if (j->value.len != (wants_zone ? 12 : 8))
		return false;
	m->micros = (int64_t)mask_get(j->value.at, 8);
	if (wants_zone) /* the wire counts seconds west */
		m->zone = -(int64_t)(int32_t)mask_get(j->value.at + 8, 4);
	return m->micros >= 0 && m->micros <= whole_day;
}

bool
mask_time(const struct mask_job *j, struct text *out)
{
	const bool wants_zone = j->type.oid == TYPE_TIMETZ;
	struct moment m = {0};
	char line[64] = "";
	uint8_t bytes[12];
	int64_t was;

	if (j->mask != MASK_PSEUDONYM || !read_time(j, wants_zone, &m))
		return false;
	was = m.micros;
	if (!other_time(j, 0, &m.micros) || m.micros == was)
		return false;
	if (j->type.is_binary) {
		mask_put(bytes, 8, (uint64_t)m.micros);
		mask_put(bytes + 8, 4, (uint64_t)-m.zone);
		return mask_bytes(j, out, bytes, wants_zone ? 12 : 8);
	}
	append_clock(line, sizeof(line), m.micros);
	if (wants_zone)
		append_zone(line, sizeof(line), m.zone);
	return mask_printf(j, out, "%s", line);
}
