/*
 * lexer_number.c - numbers and parameters.
 *
 * The one rule: where a number ends is for the version to say.  Before 15 a
 * word may follow at once, and 0x1F is 0 and a name; since 15 that is an error;
 * since 16 there are 0x1F, 0o17, 0b11 and 1_000.
 */
#include "common/lexer_scan.h"

enum {
	NO_JUNK_VERSION = 15, /* since which no name may follow a number */
	BASES_VERSION = 16,   /* since which 0x1F and 1_000 are numbers */
	NO_DOLLAR_VERSION = 18, /* since which 0x1F$ is an error, as 0x1Fg is */
	PARAMETER_DIGITS_MAX = 9,
};

int
scan_hex_value(unsigned char c)
{
	if (scan_is_digit(c))
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool
is_digit_of(unsigned char c, int base)
{
	int value = scan_hex_value(c);

	return value >= 0 && value < base;
}

/* Digits, between any two of which may be an underscore. */
static void
scan_digits(struct scanner *s, int base)
{
	while (is_digit_of(scan_peek(s, 0), base)) {
		s->pos++;
		if (scan_peek(s, 0) == '_' && s->version >= BASES_VERSION &&
		    is_digit_of(scan_peek(s, 1), base))
			s->pos++;
	}
}

static bool
splits_junk(const struct scanner *s)
{
	return s->version != 0 && s->version < NO_JUNK_VERSION;
}

/* Could its end be a name of its own, as x1F of 0x1F and e5 of 1e5? */
static bool
ends_like_name(const struct scanner *s, size_t start)
{
	size_t i = s->pos;

	while (i > start &&
	    scan_continues_name((unsigned char)s->sql.at[i - 1])) {
		if (!scan_is_digit((unsigned char)s->sql.at[--i]))
			return true;
	}
	return false;
}

/* What may follow a number at once, and be a token of its own? */
static enum err
scan_number_end(struct scanner *s, size_t start)
{
	unsigned char c = scan_peek(s, 0);

	if (!scan_continues_name(c) || splits_junk(s))
		return ERR_NONE;
	if (scan_starts_name(c))
		return scan_fail_here(s, start, "junk after a number");
	if (!ends_like_name(s, start))
		return ERR_NONE;
	/* 15 to 17 took it for two tokens when they were new */
	return s->version >= NO_DOLLAR_VERSION
		   ? scan_fail(s, start, "junk after a number")
		   : scan_refuse(s, start, "perhaps junk after a number");
}

/* 10 where no other base begins. */
static int
base_here(const struct scanner *s)
{
	if (scan_peek(s, 0) != '0' || s->version < BASES_VERSION)
		return 10;
	switch (scan_peek(s, 1) | 0x20) {
	case 'x':
		return 16;
	case 'o':
		return 8;
	case 'b':
		return 2;
	default:
		return 10;
	}
}

/* 0x [_] digits and the like */
static enum err
scan_based_number(struct scanner *s, int base)
{
	size_t start = s->pos;

	s->pos += 2;
	s->pos += scan_peek(s, 0) == '_';
	if (!is_digit_of(scan_peek(s, 0), base))
		return scan_fail(s, start, "a number without digits");
	scan_digits(s, base);
	return scan_number_end(s, start);
}

/* 1_000..2: the first dot was the number's when 16 was new. */
static bool
is_unsure_range(const struct scanner *s, size_t start)
{
	return s->version == BASES_VERSION && scan_peek(s, 0) == '.' &&
	       scan_peek(s, 1) == '.' &&
	       memchr(s->sql.at + start, '_', s->pos - start) != NULL;
}

/* digits [. digits] [e [+-] digits], where 1..2 leaves the dots alone */
enum err
scan_number(struct scanner *s, struct token *t)
{
	size_t start = s->pos, sign;
	int base = base_here(s);

	t->kind = TOKEN_NUMBER;
	if (base != 10)
		return scan_based_number(s, base);
	scan_digits(s, 10);
	if (is_unsure_range(s, start))
		return scan_refuse(s, start, "dots after 1_000 in version 16");
	if (scan_peek(s, 0) == '.' && scan_peek(s, 1) != '.') {
		s->pos++;
		scan_digits(s, 10);
	}
	if ((scan_peek(s, 0) | 0x20) == 'e') {
		sign = scan_peek(s, 1) == '+' || scan_peek(s, 1) == '-';
		if (scan_is_digit(scan_peek(s, 1 + sign))) {
			s->pos += 1 + sign;
			scan_digits(s, 10);
		}
	}
	return scan_number_end(s, start);
}

enum err
scan_parameter(struct scanner *s, struct token *t)
{
	size_t start = s->pos++;

	t->kind = TOKEN_PARAMETER;
	while (scan_is_digit(scan_peek(s, 0)))
		s->pos++;
	/* before 18 the server took the number's low bits */
	if (s->pos - start > 1 + PARAMETER_DIGITS_MAX)
		return scan_refuse(s, start, "a parameter number too large");
	if (scan_starts_name(scan_peek(s, 0)) && !splits_junk(s))
		return scan_fail_here(s, start, "junk after a parameter");
	return ERR_NONE;
}
