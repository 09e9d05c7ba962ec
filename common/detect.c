/*
 * detect.c - scanners for values that look sensitive.
 *
 * The rule: one walk over the value; at each place a scanner looks ahead a
 * bounded number of bytes, so the whole is linear.  A match must stand alone:
 * what is part of a longer number, name, UUID or version is none.
 */
#include "common/detect_inner.h"

static const char *const names[DETECT_MAX] = {
#define X(id, name) [id] = name,
    DETECTORS(X)
#undef X
};

const char *
detector_name(enum detector d)
{
	return (unsigned)d < DETECT_MAX ? names[d] : "unknown";
}

uint64_t
detector_bit(struct text word)
{
	int d;

	for (d = 0; d < DETECT_MAX; d++) {
		if (text_is(text_of(names[d]), word))
			return BIT(d);
	}
	return 0;
}

const char *const *
detector_words(size_t *count_out)
{
	*count_out = DETECT_MAX;
	return names;
}

/* --- looking at bytes ----------------------------------------------------- */

bool
detect_starts_alone(struct text v, size_t i)
{
	char before = byte_at(v, i - 1);

	if (is_word(before))
		return false;
	return !(
	    (before == '.' || before == '-') && is_digit(byte_at(v, i - 2)));
}

bool
detect_ends_alone(struct text v, size_t i)
{
	char after = byte_at(v, i);

	if (is_word(after))
		return false;
	return !((after == '.' || after == '-') && is_digit(byte_at(v, i + 1)));
}

size_t
detect_shape(struct text v, size_t i, const char *shape, const char *marks)
{
	char separator = '\0';
	size_t k;

	for (k = 0; shape[k] != '\0'; k++) {
		char c = byte_at(v, i + k);

		if (c == '\0')
			return 0;
		if (shape[k] == 's' && separator == '\0' &&
		    strchr(marks, c) != NULL)
			separator = c;
		else if (shape[k] == 's'   ? c != separator
			 : shape[k] == 'd' ? !is_digit(c)
			 : shape[k] == 'n' ? c < '2' || c > '9'
					   : c != shape[k])
			return 0;
	}
	return k;
}

unsigned
detect_number(struct text v, size_t i, size_t count)
{
	unsigned number = 0;

	while (count-- > 0)
		number = number * 10 + (unsigned)(byte_at(v, i++) - '0');
	return number;
}

/* --- the walk ------------------------------------------------------------- */

static const struct scanner {
	enum detector detector;
	size_t (*find)(struct text value, size_t i); /* length at i, or 0 */
} scanners[] = {
    {DETECT_CREDIT_CARD, detect_card},
    {DETECT_US_SSN, detect_us_ssn},
    {DETECT_PHONE, detect_phone},
    {DETECT_IBAN, detect_iban},
    {DETECT_IPV4, detect_ipv4},
};

/* Can anything begin here? Everything but an address starts a word. */
static bool
may_start(struct text v, size_t i)
{
	char c = v.at[i];

	if (c == '+' || c == '(')
		return true;
	return (is_digit(c) || is_ascii_letter(c)) &&
	       !is_word(byte_at(v, i - 1));
}

/* The longest match that begins at `i`. */
static bool
find_at(uint64_t detectors, struct text v, size_t i, struct found *out)
{
	size_t k, len;

	out->len = 0;
	for (k = 0; k < sizeof(scanners) / sizeof(*scanners); k++) {
		if ((detectors & BIT(scanners[k].detector)) == 0)
			continue;
		len = scanners[k].find(v, i);
		if (len > out->len)
			*out = (struct found){scanners[k].detector, i, len};
	}
	return out->len > 0;
}

bool
detect_next(
    uint64_t detectors, struct text value, size_t from, struct found *out)
{
	const bool wants_email = (detectors & BIT(DETECT_EMAIL)) != 0;
	size_t i;

	for (i = from; i < value.len; i++) {
		if (value.at[i] == '@' && wants_email &&
		    detect_email(value, i, from, out))
			return true;
		if (may_start(value, i) && find_at(detectors, value, i, out))
			return true;
	}
	return false;
}
