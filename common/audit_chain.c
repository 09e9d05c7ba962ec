/*
 * audit_chain.c - sealing, and forgetting.
 *
 * The rule: a key that has sealed its record is nowhere in this process any
 * more, neither here nor in what the hash function was given (hmac.h).
 */
#include <stdio.h>
#include <string.h>

#include "common/audit_chain.h"
#include "common/hmac.h"

enum {
	MAC_LEN = (AUDIT_MAC_SIZE - 1) / 2,
};

_Static_assert((int)AUDIT_KEY_LEN == (int)HMAC_LEN, "one hash, one length");

static struct text
key_text(const uint8_t key[AUDIT_KEY_LEN])
{
	return (struct text){(const char *)key, AUDIT_KEY_LEN};
}

/* --- names ---------------------------------------------------------------- */

/* What follows the number. */
static const char *const letters[AUDIT_WRITERS] = {
    [AUDIT_OF_MASTER] = "",
    [AUDIT_OF_SESSION] = "",
    [AUDIT_OF_COMMAND] = "c",
    [AUDIT_OF_BROKER] = "b",
};

void
audit_chain_name(uint64_t book, uint64_t number, enum audit_writer writer,
    char id_out[AUDIT_CHAIN_ID_MAX])
{
	snprintf(id_out, AUDIT_CHAIN_ID_MAX, "%llu.%llu%s",
	    (unsigned long long)book, (unsigned long long)number,
	    letters[writer]);
}

/* The number at the start of `rest`, which is eaten, as it is written: no
 * zeros before it. */
static bool
number_take(struct text *rest, uint64_t *out)
{
	uint64_t n = 0;
	size_t i;

	for (i = 0; i < rest->len && i < 19; i++) {
		unsigned digit = (unsigned char)rest->at[i] - (unsigned)'0';

		if (digit > 9)
			break;
		n = n * 10 + digit;
	}
	if (i == 0 || (i > 1 && rest->at[0] == '0'))
		return false;
	*out = n;
	rest->at += i;
	rest->len -= i;
	return true;
}

bool
audit_chain_parse(struct text id, uint64_t *book_out, uint64_t *number_out,
    enum audit_writer *writer_out)
{
	unsigned i;

	if (!number_take(&id, book_out) || id.len == 0 || id.at[0] != '.')
		return false;
	id.at++;
	id.len--;
	if (!number_take(&id, number_out))
		return false;
	*writer_out = AUDIT_OF_MASTER;
	if (*number_out == 0)
		return id.len == 0;
	for (i = AUDIT_OF_SESSION; i < AUDIT_WRITERS; i++) {
		*writer_out = (enum audit_writer)i;
		if (text_is(id, text_of(letters[i])))
			return true;
	}
	return false;
}

/* --- the chain ------------------------------------------------------------ */

/* The text and a zero byte; false: no room. */
static bool
part_add(char *parts, size_t size, size_t *len, struct text part)
{
	if (part.len >= size - *len ||
	    (part.len > 0 && memchr(part.at, '\0', part.len) != NULL))
		return false;
	if (part.len > 0)
		memcpy(parts + *len, part.at, part.len);
	*len += part.len;
	parts[(*len)++] = '\0';
	return true;
}

enum err
audit_chain_derive(const struct audit_key *key, struct text node,
    struct text id, struct text session, uint8_t out[AUDIT_KEY_LEN])
{
	char parts[512];
	size_t len = 0;

	if (!part_add(parts, sizeof(parts), &len,
		TEXT("sallyport audit chain")) ||
	    !part_add(parts, sizeof(parts), &len, node) ||
	    !part_add(parts, sizeof(parts), &len, id) ||
	    !part_add(parts, sizeof(parts), &len, session))
		return ERR_TOO_LONG;
	return hmac_sha256((struct text){key->bytes, key->len},
	    (struct text){parts, len}, out);
}

void
audit_chain_begin(
    struct audit_chain *c, const char *id, const uint8_t key[AUDIT_KEY_LEN])
{
	snprintf(c->id, sizeof(c->id), "%s", id);
	c->next = 1;
	memcpy(c->key, key, sizeof(c->key));
}

static enum err
chain_step(struct audit_chain *c)
{
	uint8_t next[AUDIT_KEY_LEN];
	enum err e = hmac_sha256(key_text(c->key), TEXT("next"), next);

	memcpy(c->key, next, sizeof(next));
	explicit_bzero(next, sizeof(next));
	c->next++;
	return e;
}

enum err
audit_chain_go(struct audit_chain *c, uint64_t number)
{
	enum err e = c->next > number ? ERR_REFUSED : ERR_NONE;

	while (e == ERR_NONE && c->next < number)
		e = chain_step(c);
	return e;
}

enum err
audit_chain_mac(const struct audit_chain *c, struct text record,
    char out[AUDIT_MAC_SIZE])
{
	static const char hex[] = "0123456789abcdef";
	uint8_t mac[AUDIT_KEY_LEN];
	enum err e = hmac_sha256(key_text(c->key), record, mac);
	size_t i;

	for (i = 0; i < MAC_LEN; i++) {
		out[i * 2] = hex[mac[i] >> 4];
		out[i * 2 + 1] = hex[mac[i] & 15];
	}
	out[MAC_LEN * 2] = '\0';
	return e;
}

enum err
audit_chain_seal(struct audit_chain *c, uint64_t number, struct text record,
    char mac_out[AUDIT_MAC_SIZE])
{
	enum err e;

	if (c->id[0] == '\0' || number < c->next)
		return ERR_REFUSED;
	if (number - c->next > AUDIT_SKIP_MAX)
		return ERR_TOO_LONG;
	e = audit_chain_go(c, number);
	if (e == ERR_NONE)
		e = audit_chain_mac(c, record, mac_out);
	if (e == ERR_NONE)
		e = chain_step(c);
	return e;
}

void
audit_chain_wipe(struct audit_chain *c)
{
	explicit_bzero(c, sizeof(*c));
}
