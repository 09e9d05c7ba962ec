/*
 * detect_person.c - telephone numbers and US social security numbers.
 *
 * The rule: there is no check digit, so only forms that are clearly nothing
 * else count: a run of plain digits never does.
 */
#include "common/detect_inner.h"

/* --- US social security numbers ------------------------------------------- */

size_t
detect_us_ssn(struct text v, size_t i)
{
	size_t len = detect_shape(v, i, "dddsddsdddd", "- ");
	unsigned area;

	if (len == 0 || !detect_starts_alone(v, i) ||
	    !detect_ends_alone(v, i + len))
		return 0;
	/* With spaces it must not be part of a longer row of numbers. */
	if (v.at[i + 3] == ' ' &&
	    ((byte_at(v, i - 1) == ' ' && is_digit(byte_at(v, i - 2))) ||
		(byte_at(v, i + len) == ' ' &&
		    is_digit(byte_at(v, i + len + 1)))))
		return 0;
	area = detect_number(v, i, 3);
	return area == 0 || area == 666 || area >= 900 ||
		       detect_number(v, i + 4, 2) == 0 ||
		       detect_number(v, i + 7, 4) == 0
		   ? 0
		   : len;
}

/* --- telephone numbers ---------------------------------------------------- */

enum {
	PHONE_DIGITS_MIN = 9,
	PHONE_DIGITS_MAX = 15, /* E.164 */
	NANP_DIGITS = 11
};

/* National forms clear enough to be nothing else. NANP; France; UK. */
static const struct national {
	const char *shape, *marks;
} national_phones[] = {
    {"(ndd) ndd-dddd", ""},
    {"(ndd)ndd-dddd", ""},
    {"1-ndd-ndd-dddd", ""},
    {"nddsnddsdddd", "-."},
    {"0dsddsddsddsdd", " .-"},
    {"0dd dddd dddd", ""},
    {"0ddd ddd dddd", ""},
    {"0dddd dddddd", ""},
};

/* Two-digit beginnings no country code has. */
static bool
is_country_code(unsigned two)
{
	return two >= 10 && two != 28 && two != 83 && two != 89;
}

/* After +1: area and exchange of the North American plan. */
static bool
is_nanp(const char *digits, size_t count)
{
	return count == NANP_DIGITS && digits[1] >= '2' && digits[4] >= '2';
}

static bool
is_phone_mark(char c)
{
	return c != '\0' && strchr(" -.()/", c) != NULL;
}

/* Digits from `k` on, appended to `digits` if they fit; how many bytes. */
static size_t
phone_group(struct text v, size_t k, char *digits, size_t *count)
{
	size_t len = 0;

	while (len <= PHONE_DIGITS_MAX && is_digit(byte_at(v, k + len)))
		len++;
	if (len == 0 || len > PHONE_DIGITS_MAX - *count)
		return 0;
	memcpy(digits + *count, v.at + k, len);
	*count += len;
	return len;
}

/* Groups of digits with at most two marks between: ") " is the most. */
static size_t
international_phone(struct text v, size_t i)
{
	char digits[PHONE_DIGITS_MAX];
	size_t count = 0, k = i + 1, end = i, len, marks;

	while (count < NANP_DIGITS || digits[0] != '1') {
		len = phone_group(v, k, digits, &count);
		if (len == 0)
			break;
		end = k = k + len;
		for (marks = 0; marks < 2 && is_phone_mark(byte_at(v, k));
		     marks++)
			k++;
	}
	if (count < PHONE_DIGITS_MIN || is_word(byte_at(v, i - 1)) ||
	    is_word(byte_at(v, end)))
		return 0;
	if (digits[0] == '1')
		return is_nanp(digits, count) ? end - i : 0;
	return is_country_code(
		   detect_number((struct text){digits, count}, 0, 2))
		   ? end - i
		   : 0;
}

size_t
detect_phone(struct text v, size_t i)
{
	size_t k, len;

	if (byte_at(v, i) == '+')
		return international_phone(v, i);
	if (!detect_starts_alone(v, i) || byte_at(v, i - 1) == '+' ||
	    byte_at(v, i - 1) == '/')
		return 0;
	for (k = 0; k < sizeof(national_phones) / sizeof(*national_phones);
	     k++) {
		len = detect_shape(
		    v, i, national_phones[k].shape, national_phones[k].marks);
		if (len > 0 && detect_ends_alone(v, i + len))
			return len;
	}
	return 0;
}
