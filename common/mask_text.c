/*
 * mask_text.c - masks on text, and on what is spelled as text (json, xml).
 *
 * The rule: what comes out is as valid as what went in: UTF-8 stays UTF-8, a
 * sequence is masked whole or kept whole.  Text that is not UTF-8 (another
 * client encoding) is handled a byte at a time; its bytes above ASCII never
 * leave.
 */
#include "common/mask_inner.h"
#include "common/mask_script.h"

#define REDACTED "[redacted]"

enum {
	EMAIL_MAX = 254, /* RFC 5321 */
	LAST_KEPT = 4,
	PSEUDONYM_ATTEMPTS = 8,
	HASH_BYTES = 8, /* twice as many hex digits */
};

/* --- redact and hash ------------------------------------------------------ */

static bool
text_redact(struct text *out)
{
	*out = TEXT(REDACTED);
	return true;
}

static bool
text_hash_keyed(const struct mask_job *j, struct text *out)
{
	struct keyed k;
	char hex[2 * HASH_BYTES];
	size_t i;

	keyed_start(&k, j->key, "hash", j->value, 0);
	for (i = 0; i < HASH_BYTES; i++) {
		hex[2 * i] = "0123456789abcdef"[k.seed[i] >> 4];
		hex[2 * i + 1] = "0123456789abcdef"[k.seed[i] & 15];
	}
	return !k.has_failed &&
	    mask_bytes(j, out, (const uint8_t *)hex, sizeof(hex));
}

/* --- email ---------------------------------------------------------------- */

static bool
is_domain_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || c == '.' || c == '-' || (c & 0x80) != 0;
}

static bool
is_local_byte(char c)
{
	return is_domain_byte(c) ||
	    (c != '\0' && memchr("!#$%&'*+/=?^_`{|}~", c, 18) != NULL);
}

/* The one @ of an address, or 0. A dot in the domain is asked for: without
 * it `password@1` would be an address that shows a part of itself. */
static size_t
email_at(struct text value)
{
	size_t at = 0, i, dots = 0;

	for (i = 0; i < value.len; i++) {
		char c = value.at[i];

		if (c == '@' && at == 0 && i > 0)
			at = i;
		else if (at == 0 ? !is_local_byte(c) : !is_domain_byte(c))
			return 0;
		else if (at != 0 && c == '.')
			dots++;
	}
	return dots > 0 && i > at + 3 ? at : 0;
}

static bool
text_email(const struct mask_job *j, struct text *out)
{
	struct text value = j->value;
	size_t at, first;
	char *copy;

	while (value.len > 0 && value.at[value.len - 1] == ' ')
		value.len--; /* bpchar's padding */
	at = value.len > EMAIL_MAX ? 0 : email_at(value);
	if (at == 0 || !text_is_utf8(value))
		return text_redact(out);
	first = script_sequence(value, 0);
	if (first == at)
		first = 0; /* one letter and the domain would be all of it */
	out->len = first + 3 + value.len - at;
	copy = arena_alloc(j->arena, out->len);
	if (copy == NULL)
		return false;
	memcpy(copy, value.at, first);
	memset(copy + first, '*', 3);
	memcpy(copy + first + 3, value.at + at, value.len - at);
	out->at = copy;
	return !text_is(*out, value);
}

/* --- last4 ---------------------------------------------------------------- */

/* Letters and digits of `value`; everything above ASCII counts as letters. */
static size_t
count_letters(struct text value, bool is_utf8)
{
	size_t i, count = 0;

	for (i = 0; i < value.len;) {
		count += script_is_letter(value.at[i]);
		i += is_utf8 ? script_sequence(value, i) : 1;
	}
	return count;
}

/* As text_last4() where every byte is a letter, a digit or a mark: from the
 * end on, for most of a long value is stars. */
static bool
ascii_last4(const struct mask_job *j, struct text *out)
{
	const struct text v = j->value;
	char *copy = arena_alloc(j->arena, v.len);
	size_t kept = 0, tail = v.len, i;

	if (copy == NULL)
		return false;
	while (tail > 0 && kept < LAST_KEPT)
		kept += script_is_ascii_letter(v.at[--tail]);
	for (i = 0; i < tail; i++)
		copy[i] = script_is_ascii_letter(v.at[i]) ? '*' : v.at[i];
	*out = (struct text){copy, v.len};
	memcpy(copy + tail, v.at + tail, v.len - tail);
	if (memcmp(copy, v.at, tail) != 0)
		return true;
	/* four or fewer in all: none is kept */
	for (i = tail; i < v.len; i++)
		copy[i] = script_is_ascii_letter(v.at[i]) ? '*' : v.at[i];
	return kept > 0;
}

static bool
text_last4(const struct mask_job *j, struct text *out)
{
	const bool is_utf8 = text_is_utf8(j->value);
	size_t letters, stars, i, len = 0, step;
	char *copy;

	if (text_is_ascii(j->value))
		return ascii_last4(j, out);
	letters = count_letters(j->value, is_utf8);
	stars = letters > LAST_KEPT ? letters - LAST_KEPT : letters;
	copy = arena_alloc(j->arena, j->value.len);
	if (copy == NULL || letters == 0)
		return false;
	for (i = 0; i < j->value.len; i += step) {
		bool is_ascii = (j->value.at[i] & 0x80) == 0;

		step = is_utf8 ? script_sequence(j->value, i) : 1;
		if (!script_is_letter(j->value.at[i]) ||
		    (stars == 0 && (is_utf8 || is_ascii))) {
			memcpy(copy + len, j->value.at + i, step);
			len += step;
			continue;
		}
		copy[len++] = '*';
		stars -= stars > 0;
	}
	*out = (struct text){copy, len};
	return !text_is(*out, j->value);
}

/* --- pseudonym ------------------------------------------------------------ */

static bool
text_pseudonym(const struct mask_job *j, struct text *out)
{
	const bool is_utf8 = text_is_utf8(j->value);
	char *copy = arena_alloc(j->arena, j->value.len);
	struct keyed k;
	unsigned attempt;
	size_t i;

	if (copy == NULL)
		return false;
	for (attempt = 0; attempt < PSEUDONYM_ATTEMPTS; attempt++) {
		keyed_start(&k, j->key, "text", j->value, attempt);
		for (i = 0; i < j->value.len;)
			i += script_replace(&k, j->value, i, is_utf8, copy + i);
		*out = (struct text){copy, j->value.len};
		if (!k.has_failed && !text_is(*out, j->value))
			return true;
	}
	return false; /* nothing in it but marks, or no randomness */
}

/* --- by type -------------------------------------------------------------- */

bool
mask_text(const struct mask_job *j, struct text *out)
{
	switch (j->mask) {
	case MASK_REDACT:
		return text_redact(out);
	case MASK_EMAIL:
		return text_email(j, out);
	case MASK_LAST4:
		return text_last4(j, out);
	case MASK_PSEUDONYM:
		return text_pseudonym(j, out);
	case MASK_HASH:
		return text_hash_keyed(j, out);
	default:
		return false;
	}
}

/* A "char" has room for one byte: only masks that keep the length fit. */
bool
mask_char(const struct mask_job *j, struct text *out)
{
	if (j->value.len != 1)
		return false;
	if (j->mask == MASK_LAST4)
		return text_last4(j, out);
	return j->mask == MASK_PSEUDONYM && text_pseudonym(j, out);
}

bool
mask_json(const struct mask_job *j, struct text *out)
{
	if (j->mask != MASK_REDACT)
		return false;
	*out = TEXT("\"" REDACTED "\"");
	if (j->type.oid == TYPE_JSONB && j->type.is_binary)
		*out = TEXT("\001\"" REDACTED "\""); /* jsonb's version */
	return true;
}

/* Other masks would break the markup; an address is no XML value. */
bool
mask_xml(const struct mask_job *j, struct text *out)
{
	if (j->mask == MASK_REDACT || j->mask == MASK_EMAIL)
		return text_redact(out);
	return j->mask == MASK_HASH && text_hash_keyed(j, out);
}
