/*
 * detect_bank.c - card numbers and IBANs.
 *
 * The rule: form is never enough; a check digit must be right too.
 */
#include "common/detect_inner.h"

/* --- card numbers --------------------------------------------------------- */

enum {
	CARD_DIGITS_MIN = 13,
	CARD_DIGITS_MAX = 19
};

/* Issuers' ranges of the first four digits, and the lengths they use
 * (ISO/IEC 7812 registrations in common use). */
static const struct issuer {
	unsigned first, last;
	unsigned least, most;
} issuers[] = {
    {2200, 2204, 16, 19},			/* Mir */
    {2221, 2720, 16, 16},			/* Mastercard */
    {3000, 3059, 14, 19},			/* Diners Club */
    {3095, 3095, 14, 19}, {3400, 3499, 15, 15}, /* American Express */
    {3528, 3589, 16, 19},			/* JCB */
    {3600, 3699, 14, 19},			/* Diners Club */
    {3700, 3799, 15, 15},			/* American Express */
    {3800, 3999, 14, 19},			/* Diners Club */
    {4000, 4999, 13, 19},			/* Visa: 13, 16, 19 */
    {5018, 5018, 13, 19},			/* Maestro */
    {5020, 5020, 13, 19}, {5038, 5038, 13, 19},
    {5100, 5599, 16, 16}, /* Mastercard */
    {5893, 5893, 13, 19}, /* Maestro */
    {6011, 6011, 16, 19}, /* Discover */
    {6200, 6299, 16, 19}, /* UnionPay */
    {6304, 6304, 13, 19}, /* Maestro */
    {6440, 6599, 16, 19}, /* Discover */
    {6759, 6763, 13, 19}, /* Maestro */
};

static bool
is_card(const char *digits, size_t count)
{
	unsigned first = detect_number((struct text){digits, count}, 0, 4),
		 sum = 0;
	size_t i;

	if (first / 1000 == 4 && count != 13 && count != 16 && count != 19)
		return false;
	for (i = 0; i < count; i++) {
		unsigned digit = (unsigned)(digits[count - 1 - i] - '0');

		if (i % 2 == 1)
			digit = digit > 4 ? 2 * digit - 9 : 2 * digit;
		sum += digit;
	}
	if (sum % 10 != 0)
		return false;
	for (i = 0; i < sizeof(issuers) / sizeof(*issuers); i++) {
		if (first >= issuers[i].first && first <= issuers[i].last)
			return count >= issuers[i].least &&
			       count <= issuers[i].most;
	}
	return false;
}

/* How card numbers are written in groups; longest first. */
static const char *const card_shapes[] = {
    "ddddsddddsddddsddddsddd",
    "ddddsddddsddddsdddd",
    "ddddsddddddsddddd",
    "ddddsddddddsdddd",
    "ddddsddddsddddsddd", /* 15 in fours */
    "ddddsddddsddddsdd",
    "ddddsddddsddddsd",
};

static size_t
card_in_shape(struct text v, size_t i, const char *shape)
{
	size_t len = detect_shape(v, i, shape, " -"), k, count = 0;
	char digits[CARD_DIGITS_MAX];

	if (len == 0 || !detect_ends_alone(v, i + len))
		return 0;
	for (k = 0; k < len; k++) {
		if (is_digit(v.at[i + k]))
			digits[count++] = v.at[i + k];
	}
	return is_card(digits, count) ? len : 0;
}

size_t
detect_card(struct text v, size_t i)
{
	size_t len = 0, k;

	if (!is_digit(byte_at(v, i)) || !detect_starts_alone(v, i))
		return 0;
	while (len <= CARD_DIGITS_MAX && is_digit(byte_at(v, i + len)))
		len++;
	if (len >= CARD_DIGITS_MIN && len <= CARD_DIGITS_MAX)
		return detect_ends_alone(v, i + len) && is_card(v.at + i, len)
			   ? len
			   : 0;
	for (k = 0; k < sizeof(card_shapes) / sizeof(*card_shapes); k++) {
		len = card_in_shape(v, i, card_shapes[k]);
		if (len > 0)
			return len;
	}
	return 0;
}

/* --- IBAN ----------------------------------------------------------------- */

enum {
	IBAN_LEN_MAX = 33
};

/* The IBAN registry (SWIFT): country and total length. */
static const struct iban_country {
	char code[3];
	unsigned char len;
} iban_countries[] = {
    {"AD", 24},
    {"AE", 23},
    {"AL", 28},
    {"AT", 20},
    {"AZ", 28},
    {"BA", 20},
    {"BE", 16},
    {"BG", 22},
    {"BH", 22},
    {"BI", 27},
    {"BR", 29},
    {"BY", 28},
    {"CH", 21},
    {"CR", 22},
    {"CY", 28},
    {"CZ", 24},
    {"DE", 22},
    {"DJ", 27},
    {"DK", 18},
    {"DO", 28},
    {"EE", 20},
    {"EG", 29},
    {"ES", 24},
    {"FI", 18},
    {"FK", 18},
    {"FO", 18},
    {"FR", 27},
    {"GB", 22},
    {"GE", 22},
    {"GI", 23},
    {"GL", 18},
    {"GR", 27},
    {"GT", 28},
    {"HR", 21},
    {"HU", 28},
    {"IE", 22},
    {"IL", 23},
    {"IQ", 23},
    {"IS", 26},
    {"IT", 27},
    {"JO", 30},
    {"KW", 30},
    {"KZ", 20},
    {"LB", 28},
    {"LC", 32},
    {"LI", 21},
    {"LT", 20},
    {"LU", 20},
    {"LV", 21},
    {"LY", 25},
    {"MC", 27},
    {"MD", 24},
    {"ME", 22},
    {"MK", 19},
    {"MN", 20},
    {"MR", 27},
    {"MT", 31},
    {"MU", 30},
    {"NI", 28},
    {"NL", 18},
    {"NO", 15},
    {"OM", 23},
    {"PK", 24},
    {"PL", 28},
    {"PS", 29},
    {"PT", 25},
    {"QA", 29},
    {"RO", 24},
    {"RS", 22},
    {"RU", 33},
    {"SA", 24},
    {"SC", 31},
    {"SD", 18},
    {"SE", 24},
    {"SI", 19},
    {"SK", 24},
    {"SM", 27},
    {"SO", 23},
    {"ST", 25},
    {"SV", 28},
    {"TL", 23},
    {"TN", 24},
    {"TR", 26},
    {"UA", 29},
    {"VA", 22},
    {"VG", 24},
    {"XK", 20},
    {"YE", 30},
};

static size_t
iban_length(char first, char second)
{
	size_t i;

	for (i = 0; i < sizeof(iban_countries) / sizeof(*iban_countries); i++) {
		if (iban_countries[i].code[0] == first &&
		    iban_countries[i].code[1] == second)
			return iban_countries[i].len;
	}
	return 0;
}

/* ISO 7064 mod 97-10: the first four go to the end, letters are 10 to 35. */
static bool
is_iban(const char *iban, size_t len)
{
	unsigned rest = 0;
	size_t i;

	for (i = 0; i < len; i++) {
		char c = iban[(i + 4) % len];

		rest = is_digit(c) ? rest * 10 + (unsigned)(c - '0')
				   : rest * 100 + (unsigned)(c - 'A') + 10;
		rest %= 97;
	}
	return rest == 1;
}

size_t
detect_iban(struct text v, size_t i)
{
	char iban[IBAN_LEN_MAX];
	size_t wanted, count = 0, k;

	if (!is_ascii_letter(byte_at(v, i)) || is_word(byte_at(v, i - 1)) ||
	    !is_digit(byte_at(v, i + 2)) || !is_digit(byte_at(v, i + 3)))
		return 0;
	wanted = iban_length(upper(byte_at(v, i)), upper(byte_at(v, i + 1)));
	for (k = i; count < wanted; k++) {
		char c = upper(byte_at(v, k));

		/* spaces between groups of four */
		if (c == ' ' && count > 0 && count % 4 == 0 && v.at[k - 1] != c)
			continue;
		if (!is_digit(c) && !is_ascii_letter(c))
			return 0;
		iban[count++] = c;
	}
	return wanted > 0 && !is_word(byte_at(v, k)) && is_iban(iban, wanted)
		   ? k - i
		   : 0;
}
