/*
 * base64url.c - see base64url.h.
 *
 * The rule: what decodes is what encoding would have made, byte for byte.
 * Trusts nothing in the text.
 */
#include "common/base64url.h"

enum { NO_DIGIT = 64 };

static unsigned
digit_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return (unsigned)(c - 'A');
	if (c >= 'a' && c <= 'z')
		return (unsigned)(c - 'a') + 26;
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0') + 52;
	if (c == '-')
		return 62;
	return c == '_' ? 63 : NO_DIGIT;
}

enum err
base64url_decode(struct text text, uint8_t *out, size_t size, size_t *len_out)
{
	unsigned bits = 0, held = 0, digit;
	size_t i, len = 0;

	*len_out = 0;
	/* one digit alone is no byte */
	if (text.len % 4 == 1)
		return ERR_MALFORMED;
	for (i = 0; i < text.len; i++) {
		digit = digit_of(text.at[i]);
		if (digit == NO_DIGIT)
			return ERR_MALFORMED;
		held = held << 6 | digit;
		bits += 6;
		if (bits < 8)
			continue;
		if (len == size)
			return ERR_TOO_LONG;
		bits -= 8;
		out[len++] = (uint8_t)(held >> bits);
		held &= (1U << bits) - 1;
	}
	if (held != 0)
		return ERR_MALFORMED;
	*len_out = len;
	return ERR_NONE;
}
