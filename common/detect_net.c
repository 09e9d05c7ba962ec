/*
 * detect_net.c - IPv4 and email addresses.
 *
 * The rule: an address stands alone; neither a version nor a picture's name
 * is one.
 */
#include "common/detect_inner.h"

/* --- IPv4 addresses ------------------------------------------------------- */

/* Is the number at `i` announced as a version: "version 1.2.3.4"? */
static bool
follows_version_word(struct text v, size_t i)
{
	static const struct text words[] = {{"version", 7}, {"release", 7},
	    {"ver.", 4}, {"ver", 3}, {"build", 5}};
	size_t k, marks = 0;

	while (i > 0 && marks < 3 && strchr(" :=", v.at[i - 1]) != NULL) {
		marks++;
		i--;
	}
	for (k = 0; k < sizeof(words) / sizeof(*words); k++) {
		if (i >= words[k].len &&
		    text_is_folded(
			(struct text){v.at + i - words[k].len, words[k].len},
			words[k]))
			return true;
	}
	return false;
}

/* A decimal octet without leading zeros; its length, or 0. */
static size_t
octet(struct text v, size_t i)
{
	size_t len = 0;

	while (len < 4 && is_digit(byte_at(v, i + len)))
		len++;
	if (len == 0 || len > 3 || (len > 1 && byte_at(v, i) == '0') ||
	    detect_number(v, i, len) > 255)
		return 0;
	return len;
}

size_t
detect_ipv4(struct text v, size_t i)
{
	size_t k = i, part, len;

	if (!is_digit(byte_at(v, i)) || is_word(byte_at(v, i - 1)) ||
	    byte_at(v, i - 1) == '.')
		return 0;
	for (part = 0; part < 4; part++) {
		if (part > 0 && byte_at(v, k++) != '.')
			return 0;
		len = octet(v, k);
		if (len == 0)
			return 0;
		k += len;
	}
	if (is_word(byte_at(v, k)) ||
	    (byte_at(v, k) == '.' && is_word(byte_at(v, k + 1))) ||
	    (byte_at(v, k) == '-' && is_letter(byte_at(v, k + 1))))
		return 0;
	return follows_version_word(v, i) ? 0 : k - i;
}

/* --- email addresses ------------------------------------------------------ */

static bool
is_local(char c)
{
	return is_digit(c) || is_letter(c) ||
	       (c != '\0' && strchr("._%+-!#$*^~'", c) != NULL);
}

/* Where the domain that starts at `i` ends: labels with dots between, the
 * last of at least two letters and no digit; 0: it is none. */
static size_t
domain_end(struct text v, size_t i)
{
	size_t k = i, label = i, end = 0;

	for (;; k++) {
		char c = byte_at(v, k);

		if (is_digit(c) || is_letter(c) || (c == '-' && k > label))
			continue;
		if (k > label + 1 && label > i &&
		    is_letter(byte_at(v, label)) &&
		    is_letter(byte_at(v, k - 1)))
			end = k;
		if (c != '.' || k == label)
			break;
		label = k + 1;
	}
	return end;
}

/* icon@2x.png is a picture. */
static bool
is_picture(struct text v, size_t i)
{
	return is_digit(byte_at(v, i)) && byte_at(v, i + 1) == 'x' &&
	       byte_at(v, i + 2) == '.';
}

/* The address around the @ at `i`, not before `from`. */
bool
detect_email(struct text v, size_t i, size_t from, struct found *out)
{
	size_t start = i, end = domain_end(v, i + 1);

	if (end == 0 || is_picture(v, i + 1))
		return false;
	while (start > from && is_local(v.at[start - 1]))
		start--;
	while (start < i && strchr(".-'", v.at[start]) != NULL)
		start++;
	*out = (struct found){DETECT_EMAIL, start, end - start};
	return start < i;
}
