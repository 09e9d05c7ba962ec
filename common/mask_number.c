/*
 * mask_number.c - masks on integers, floats and money.
 *
 * The rule: one way for both formats.  A binary number is spelled as decimal
 * text, masked there and read back, so that a value has the same mask in text
 * and in binary, and 7 the same as 7.0 where the digits allow it.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/mask_inner.h"

enum { NUMBER_TEXT_MAX = 64 };

/* --- decimal text --------------------------------------------------------- */

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Where the digits and the point end (an exponent or marks may follow). */
static size_t
digits_end(struct text decimal, size_t start)
{
	size_t i = start;

	while (i < decimal.len && (is_digit(decimal.at[i]) ||
				      decimal.at[i] == '.'))
		i++;
	return i;
}

/* The next place of a digit at or after `i`; `end` if none. */
static size_t
digit_at(struct text decimal, size_t i, size_t end)
{
	while (i < end && !is_digit(decimal.at[i]))
		i++;
	return i;
}

/* Add one to the number that ends before `i`. True: it overflowed. */
static bool
carry(char *digits, size_t start, size_t i)
{
	while (i-- > start) {
		if (!is_digit(digits[i]))
			continue;
		if (digits[i] != '9') {
			digits[i]++;
			return false;
		}
		digits[i] = '0';
	}
	return true;
}

bool
mask_round_decimal(
    const struct mask_job *j, struct text decimal, struct text *out)
{
	size_t start = decimal.len > 0 && decimal.at[0] == '-', i, kept = 0;
	size_t end = digits_end(decimal, start), cut;
	char *copy = arena_alloc(j->arena, decimal.len + 1);
	bool rounds_up, overflows = false;

	if (copy == NULL || digit_at(decimal, start, end) == end)
		return false;
	memcpy(copy + 1, decimal.at, decimal.len);
	decimal.at = copy + 1; /* a place in front for a carry */
	i = digit_at(decimal, start, end);
	while (i < end && decimal.at[i] == '0')
		i = digit_at(decimal, i + 1, end);
	for (; i < end && kept < 2; kept++)
		i = digit_at(decimal, i + 1, end);
	cut = i;
	rounds_up = cut < end && decimal.at[cut] >= '5';
	for (; i < end; i = digit_at(decimal, i + 1, end))
		copy[1 + i] = '0';
	if (rounds_up)
		overflows = carry(copy + 1, start, cut);
	if (overflows) {
		copy[0] = copy[1]; /* the sign, if there is one */
		copy[start] = '1';
	}
	*out = overflows ? (struct text){copy, decimal.len + 1} : decimal;
	return true;
}

static uint64_t
power_of_ten(size_t n)
{
	uint64_t power = 1;

	while (n-- > 0)
		power *= 10;
	return power;
}

/* Another number of the same number of digits, at most `most`. A one-digit
 * number may become 0 unless negative: there is no -0. */
static bool
permute(const uint8_t *key, uint64_t number, size_t count, bool is_negative,
    uint64_t most, uint64_t *out)
{
	uint64_t low = count > 1 ? power_of_ten(count - 1) : 0;
	uint64_t high = count > 1 ? (low - 1) + 9 * low : 9;
	struct permutation p;
	unsigned attempt;

	if (number > most || number < low || (number == 0 && is_negative))
		return false;
	for (attempt = 0; attempt < 4; attempt++) {
		if (!permutation_start(&p, key, high - low + 1, attempt))
			return false;
		*out = number;
		do {
			*out = low + permutation_of(&p, *out - low);
		} while (*out > most || (*out == 0 && is_negative));
		if (*out != number)
			return true;
	}
	return false;
}

/* Too many digits for a permutation: a keyed choice for each. */
static bool
replace_digits(
    const struct mask_job *j, struct text decimal, size_t from, char *copy)
{
	struct keyed k;
	size_t i, end = digits_end(decimal, from);

	keyed_start(&k, j->key, "digits",
	    (struct text){decimal.at + from, end - from}, 0);
	copy[from] = (char)('1' + keyed_below(&k, 9));
	for (i = digit_at(decimal, from + 1, end); i < end;
	     i = digit_at(decimal, i + 1, end))
		copy[i] = (char)('0' + keyed_below(&k, 10));
	return !k.has_failed;
}

bool
mask_pseudonym_decimal(const struct mask_job *j, struct text decimal,
    uint64_t most, struct text *out)
{
	size_t start = decimal.len > 0 && decimal.at[0] == '-';
	size_t end = digits_end(decimal, start), from, i, count = 0, last;
	char *copy = arena_copy(j->arena, decimal.at, decimal.len);
	uint64_t number = 0;

	from = last = digit_at(decimal, start, end);
	if (copy == NULL || from == end)
		return false;
	for (i = from; i < end; i = digit_at(decimal, i + 1, end)) {
		last = i;
		if (count == 0 && decimal.at[i] != '0')
			from = i;
		count += count > 0 || decimal.at[i] != '0';
		if (count <= MASK_DIGITS_MAX)
			number = number * 10 + (uint64_t)(decimal.at[i] - '0');
	}
	*out = (struct text){copy, decimal.len};
	if (count > MASK_DIGITS_MAX)
		return replace_digits(j, decimal, from, copy);
	if (!permute(j->key, number, count > 0 ? count : 1, start == 1, most,
		&number))
		return false;
	for (i = last + 1; i-- > start;) {
		if (!is_digit(copy[i]))
			continue;
		copy[i] = (char)('0' + number % 10);
		number /= 10;
	}
	return true;
}

/* --- integers ------------------------------------------------------------- */

/* Each type's width and reach; the text of no value is longer than 20. */
static const struct integer_type {
	uint32_t oid;
	size_t bytes;
	uint64_t most; /* positive; one more below zero unless unsigned */
	bool is_unsigned;
} integer_types[] = {
    {TYPE_INT2, 2, INT16_MAX, false},
    {TYPE_INT4, 4, INT32_MAX, false},
    {TYPE_INT8, 8, INT64_MAX, false},
    {TYPE_MONEY, 8, INT64_MAX, false},
    {TYPE_OID, 4, UINT32_MAX, true},
};

static const struct integer_type *
integer_type_of(uint32_t oid)
{
	size_t i;

	for (i = 0; i < sizeof(integer_types) / sizeof(*integer_types); i++) {
		if (integer_types[i].oid == oid)
			return &integer_types[i];
	}
	return NULL;
}

/* Binary to text: sign extended by hand, as the width varies. */
static bool
integer_spell(const struct mask_job *j, const struct integer_type *t,
    struct text *out)
{
	uint64_t bits, sign = (uint64_t)1 << (8 * t->bytes - 1);

	if (j->value.len != t->bytes)
		return false;
	bits = mask_get(j->value.at, t->bytes);
	if (t->is_unsigned || (bits & sign) == 0)
		return mask_printf(j, out, "%llu", (unsigned long long)bits);
	return mask_printf(j, out, "-%llu",
	    (unsigned long long)(sign - (bits & (sign - 1))));
}

/* The decimal text of an integer of the type, strictly. */
static bool
integer_read(const struct integer_type *t, struct text decimal,
    bool *is_negative_out, uint64_t *size_out)
{
	size_t i = decimal.len > 0 && decimal.at[0] == '-';
	uint64_t size = 0, most;

	*is_negative_out = i == 1;
	if (decimal.len == i || decimal.len - i > MASK_DIGITS_MAX ||
	    (i == 1 && t->is_unsigned))
		return false;
	for (; i < decimal.len; i++) {
		if (!is_digit(decimal.at[i]))
			return false;
		size = size * 10 + (uint64_t)(decimal.at[i] - '0');
	}
	most = t->most + *is_negative_out;
	*size_out = size;
	return size <= most;
}

/* Two significant digits towards zero: when rounding up left the type. */
static void
truncate_two(uint64_t *size)
{
	uint64_t unit = 1;

	while (*size / unit > 99)
		unit *= 10;
	*size -= *size % unit;
}

static bool
integer_write(const struct mask_job *j, const struct integer_type *t,
    bool is_negative, uint64_t size, struct text *out)
{
	uint8_t bytes[8];

	if (!j->type.is_binary)
		return mask_printf(j, out, "%s%llu", is_negative ? "-" : "",
		    (unsigned long long)size);
	mask_put(bytes, t->bytes, is_negative ? 0 - size : size);
	return mask_bytes(j, out, bytes, t->bytes);
}

bool
mask_integer(const struct mask_job *j, struct text *out)
{
	const struct integer_type *t = integer_type_of(j->type.oid);
	struct text decimal = j->value, masked;
	bool is_negative, was_negative;
	uint64_t size, was;

	if (t == NULL || (j->mask != MASK_PSEUDONYM && j->mask != MASK_ROUND))
		return false;
	if (j->type.is_binary && !integer_spell(j, t, &decimal))
		return false;
	if (!integer_read(t, decimal, &was_negative, &was))
		return false;
	if (j->mask == MASK_PSEUDONYM
		? !mask_pseudonym_decimal(
		      j, decimal, t->most + was_negative, &masked)
		: !mask_round_decimal(j, decimal, &masked))
		return false;
	if (!integer_read(t, masked, &is_negative, &size)) {
		size = was;
		truncate_two(&size);
	}
	return integer_write(j, t, was_negative, size, out);
}

/* --- money ---------------------------------------------------------------- */

/* Money's text is the locale's ($1,234.56): its digits are taken out, masked
 * as a whole number and put back. A number that grew has no place. */
static bool
money_text(const struct mask_job *j, struct text *out)
{
	char digits[NUMBER_TEXT_MAX];
	struct mask_job inner = *j;
	struct text masked;
	size_t i, len = 0, at;
	char *copy = arena_copy(j->arena, j->value.at, j->value.len);

	for (i = 0; i < j->value.len; i++) {
		if (!is_digit(j->value.at[i]) ||
		    (len == 0 && j->value.at[i] == '0'))
			continue;
		if (len == MASK_DIGITS_MAX)
			return false;
		digits[len++] = j->value.at[i];
	}
	if (len == 0)
		digits[len++] = '0';
	inner.type = (struct mask_type){.oid = TYPE_INT8};
	inner.value = (struct text){digits, len};
	if (copy == NULL || !mask_integer(&inner, &masked))
		return false;
	at = masked.len;
	for (i = j->value.len; i-- > 0;) {
		if (is_digit(copy[i]))
			copy[i] = at > 0 ? masked.at[--at] : '0';
	}
	*out = (struct text){copy, j->value.len};
	return at == 0;
}

bool
mask_money(const struct mask_job *j, struct text *out)
{
	return j->type.is_binary ? mask_integer(j, out) : money_text(j, out);
}

/* --- floats --------------------------------------------------------------- */

/* The shortest decimal that reads back as the same number, as the server
 * writes it: an exponent only from 1e15 (single: 1e6) on. */
static size_t
float_spell(double number, bool is_single, char *line, size_t size)
{
	int precision, most = is_single ? 9 : 17, len = 0;

	for (precision = 1; precision <= most; precision++) {
		len = snprintf(line, size, "%.*g", precision, number);
		if (is_single ? strtof(line, NULL) == (float)number
			      : strtod(line, NULL) == number)
			break;
	}
	if (memchr(line, '+', (size_t)len) != NULL &&
	    fabs(number) < (is_single ? 1e6 : 1e15))
		len = snprintf(line, size, "%.0f", number);
	return len < 0 || (size_t)len >= size ? 0 : (size_t)len;
}

static bool
float_read(const struct mask_job *j, double *out)
{
	char line[NUMBER_TEXT_MAX];
	uint64_t bits;
	uint32_t half;
	float single;
	char *end;

	if (!j->type.is_binary) {
		if (j->value.len == 0 || j->value.len >= sizeof(line))
			return false;
		memcpy(line, j->value.at, j->value.len);
		line[j->value.len] = '\0';
		*out = strtod(line, &end);
		return end == line + j->value.len && isfinite(*out);
	}
	if (j->value.len != (j->type.oid == TYPE_FLOAT4 ? 4 : 8))
		return false;
	bits = mask_get(j->value.at, j->value.len);
	half = (uint32_t)bits;
	memcpy(&single, &half, sizeof(single));
	memcpy(out, &bits, sizeof(*out));
	if (j->type.oid == TYPE_FLOAT4)
		*out = (double)single;
	return isfinite(*out);
}

static bool
float_write(const struct mask_job *j, double number, struct text *out)
{
	char line[NUMBER_TEXT_MAX];
	bool is_single = j->type.oid == TYPE_FLOAT4;
	float single = (float)number;
	uint64_t bits = 0;
	uint32_t half;
	uint8_t bytes[8];

	if (!isfinite(number) || (is_single && !isfinite(single)))
		return false;
	if (!j->type.is_binary)
		return mask_bytes(j, out, (const uint8_t *)line,
		    float_spell(number, is_single, line, sizeof(line)));
	memcpy(&half, &single, sizeof(half));
	memcpy(&bits, &number, sizeof(bits));
	mask_put(bytes, is_single ? 4 : 8, is_single ? half : bits);
	return mask_bytes(j, out, bytes, is_single ? 4 : 8);
}

bool
mask_float(const struct mask_job *j, struct text *out)
{
	bool is_single = j->type.oid == TYPE_FLOAT4;
	char line[NUMBER_TEXT_MAX];
	struct text decimal = {line, 0}, masked;
	double number, other;

	if (!float_read(j, &number))
		return false;
	if (j->mask == MASK_ROUND) {
		snprintf(line, sizeof(line), "%.1e", number);
		return float_write(j, strtod(line, NULL), out);
	}
	if (j->mask != MASK_PSEUDONYM)
		return false;
	decimal.len = float_spell(number, is_single, line, sizeof(line) - 1);
	if (!mask_pseudonym_decimal(j, decimal, UINT64_MAX, &masked))
		return false;
	memcpy(line, masked.at, masked.len);
	line[masked.len] = '\0';
	/* near zero many digits make one number */
	other = strtod(line, NULL);
	return (is_single ? (float)other != (float)number : other != number) &&
	    float_write(j, other, out);
}
