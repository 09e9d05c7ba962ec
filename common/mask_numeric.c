/*
 * mask_numeric.c - masks on numeric, whose binary format is base 10,000.
 *
 * The binary format (numeric_send in the server's numeric.c): four 16-bit
 * words: count of digits, weight of the first digit (power of 10,000), sign,
 * decimal places shown; then the base-10,000 digits.  It is spelled as decimal
 * text, masked there and packed again.
 */
#include "common/mask_inner.h"

enum {
	HEADER = 8,
	GROUP = 4, /* decimal digits in one of base 10,000 */
	SIGN_POSITIVE = 0x0000,
	SIGN_NEGATIVE = 0x4000, /* others: NaN and infinities */
	SCALE_MAX = 0x3fff,
};

struct numeric {
	size_t count;
	int weight;
	bool is_negative;
	size_t scale;
	struct text groups;
};

static bool
numeric_read(struct text value, struct numeric *out)
{
	uint64_t sign;

	if (value.len < HEADER)
		return false;
	out->count = (size_t)mask_get(value.at, 2);
	out->weight = (int16_t)mask_get(value.at + 2, 2);
	sign = mask_get(value.at + 4, 2);
	out->scale = (size_t)mask_get(value.at + 6, 2);
	out->is_negative = sign == SIGN_NEGATIVE;
	out->groups = (struct text){value.at + HEADER, value.len - HEADER};
	return (sign == SIGN_POSITIVE || sign == SIGN_NEGATIVE) &&
	    out->scale <= SCALE_MAX && out->groups.len == 2 * out->count;
}

/* The base-10,000 digit that stands for 10,000 to the power `power`. */
static unsigned
numeric_group(const struct numeric *n, int power)
{
	int at = n->weight - power;

	if (at < 0 || (size_t)at >= n->count)
		return 0;
	return (unsigned)mask_get(n->groups.at + 2 * at, 2) % 10000;
}

static void
group_spell(char *at, unsigned group)
{
	int i;

	for (i = GROUP - 1; i >= 0; i--) {
		at[i] = (char)('0' + group % 10);
		group /= 10;
	}
}

/* Sign, whole groups, point, `scale` places: at most about 150 KB. */
static bool
numeric_spell(
    const struct mask_job *j, const struct numeric *n, struct text *out)
{
	size_t wholes = n->weight < 0 ? 1 : (size_t)n->weight + 1, skip = 0;
	size_t fractions = (n->scale + GROUP - 1) / GROUP, i;
	size_t room = 2 + GROUP * (wholes + fractions);
	char *copy = arena_alloc(j->arena, room), *at;
	size_t whole_len = GROUP * wholes;

	if (copy == NULL)
		return false;
	at = copy + 1;
	for (i = 0; i < wholes; i++)
		group_spell(at + GROUP * i,
		    numeric_group(n, (int)(wholes - 1 - i)));
	at[whole_len] = '.';
	for (i = 0; i < fractions; i++)
		group_spell(at + whole_len + 1 + GROUP * i,
		    numeric_group(n, -(int)i - 1));
	while (skip + 1 < whole_len && at[skip] == '0')
		skip++;
	at += skip;
	out->len = whole_len - skip + (n->scale > 0 ? 1 + n->scale : 0);
	out->at = at;
	if (n->is_negative) {
		at[-1] = '-';
		out->at--;
		out->len++;
	}
	return true;
}

/* Where the point is, or would be. */
static size_t
point_of(struct text decimal)
{
	const char *point = memchr(decimal.at, '.', decimal.len);

	return point == NULL ? decimal.len : (size_t)(point - decimal.at);
}

/* The decimal digit `place` places left of the point (negative: right). */
static unsigned
decimal_digit(struct text decimal, size_t start, size_t point, long place)
{
	long at = place >= 0 ? (long)point - 1 - place : (long)point - place;

	if (at < (long)start || at >= (long)decimal.len)
		return 0;
	return (unsigned)(decimal.at[at] - '0');
}

static bool
numeric_pack(const struct mask_job *j, struct text decimal, struct text *out)
{
	size_t start = decimal.at[0] == '-', point = point_of(decimal);
	size_t scale = point < decimal.len ? decimal.len - point - 1 : 0;
	size_t wholes = (point - start + GROUP - 1) / GROUP;
	size_t count = wholes + (scale + GROUP - 1) / GROUP, i, first = count;
	uint8_t *copy = arena_alloc(j->arena, HEADER + 2 * count);
	size_t kept = 0;

	if (copy == NULL || wholes > INT16_MAX)
		return false;
	for (i = 0; i < count; i++) {
		long low = ((long)wholes - (long)i - 1) * GROUP;
		unsigned group = 0;
		int digit;

		for (digit = GROUP - 1; digit >= 0; digit--)
			group = group * 10 +
			    decimal_digit(decimal, start, point, low + digit);
		if (group != 0 && first == count)
			first = i;
		if (first == count)
			continue;
		mask_put(copy + HEADER + 2 * (i - first), 2, group);
		if (group != 0)
			kept = i - first + 1;
	}
	mask_put(copy, 2, kept);
	mask_put(copy + 2, 2,
	    kept == 0 ? 0 : (uint64_t)((long)wholes - 1 - (long)first));
	mask_put(copy + 4, 2,
	    start == 1 && kept > 0 ? SIGN_NEGATIVE : SIGN_POSITIVE);
	mask_put(copy + 6, 2, scale);
	*out = (struct text){(const char *)copy, HEADER + 2 * kept};
	return true;
}

/* -?digits[.digits], as numeric_out writes all but NaN and infinities. */
static bool
is_decimal(struct text value)
{
	size_t i, points = 0, digits = 0;

	for (i = value.len > 0 && value.at[0] == '-'; i < value.len; i++) {
		bool is_point = value.at[i] == '.';

		if (!is_point && (value.at[i] < '0' || value.at[i] > '9'))
			return false;
		points += is_point;
		digits += !is_point;
	}
	return digits > 0 && points <= 1;
}

bool
mask_numeric(const struct mask_job *j, struct text *out)
{
	struct text decimal = j->value, masked;
	struct numeric n;

	if (j->mask != MASK_PSEUDONYM && j->mask != MASK_ROUND)
		return false;
	if (j->type.is_binary &&
	    (!numeric_read(j->value, &n) || !numeric_spell(j, &n, &decimal)))
		return false;
	if (!is_decimal(decimal))
		return false;
	if (j->mask == MASK_ROUND
		? !mask_round_decimal(j, decimal, &masked)
		: !mask_pseudonym_decimal(j, decimal, UINT64_MAX, &masked))
		return false;
	if (j->type.is_binary)
		return numeric_pack(j, masked, out);
	*out = masked;
	return true;
}
