/*
 * mask_other.c - masks on uuid, bytea and network addresses.
 *
 * The rule: only pseudonym (and hash, for uuid) can be expressed here; the
 * result has the original's length, family and fixed bits.
 */
#include <arpa/inet.h>

#include "common/mask_inner.h"

enum { UUID_LEN = 16, UUID_TEXT_LEN = 36 };

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Hex pairs with single marks of `skip` between them, exactly `len` bytes. */
static bool
hex_read(struct text hex, char skip, uint8_t *out, size_t len)
{
	size_t i = 0, done = 0;

	while (i < hex.len && done < len) {
		int high = hex_digit(hex.at[i]), low;

		if (hex.at[i] == skip) {
			i++;
			continue;
		}
		low = i + 1 < hex.len ? hex_digit(hex.at[i + 1]) : -1;
		if (high < 0 || low < 0)
			return false;
		out[done++] = (uint8_t)(high << 4 | low);
		i += 2;
	}
	return i == hex.len && done == len;
}

static void
hex_write(char *out, const uint8_t *bytes, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		out[2 * i] = "0123456789abcdef"[bytes[i] >> 4];
		out[2 * i + 1] = "0123456789abcdef"[bytes[i] & 15];
	}
}

/* --- uuid ----------------------------------------------------------------- */

static bool
uuid_write(const struct mask_job *j, const uint8_t *uuid, struct text *out)
{
	static const size_t lens[5] = {4, 2, 2, 2, 6};
	char line[UUID_TEXT_LEN + 1], *at = line;
	size_t i;

	if (j->type.is_binary)
		return mask_bytes(j, out, uuid, UUID_LEN);
	for (i = 0; i < 5; i++) {
		hex_write(at, uuid, lens[i]);
		at += 2 * lens[i];
		*at++ = '-'; /* the last one is cut off */
		uuid += lens[i];
	}
	return mask_bytes(j, out, (const uint8_t *)line, UUID_TEXT_LEN);
}

bool
mask_uuid(const struct mask_job *j, struct text *out)
{
	uint8_t uuid[UUID_LEN], masked[UUID_LEN];
	struct keyed k;
	size_t i;

	if (j->mask != MASK_PSEUDONYM && j->mask != MASK_HASH)
		return false;
	if (j->type.is_binary && j->value.len != UUID_LEN)
		return false;
	if (j->type.is_binary)
		memcpy(uuid, j->value.at, UUID_LEN);
	else if (j->value.len != UUID_TEXT_LEN ||
	    !hex_read(j->value, '-', uuid, UUID_LEN))
		return false;
	keyed_start(&k, j->key, j->mask == MASK_HASH ? "uuid hash" : "uuid",
	    (struct text){(const char *)uuid, UUID_LEN}, 0);
	for (i = 0; i < UUID_LEN; i++)
		masked[i] = keyed_byte(&k);
	/* version and variant of RFC 4122 */
	masked[6] = (uint8_t)((uuid[6] & 0xf0) | (masked[6] & 0x0f));
	masked[8] = (uint8_t)((uuid[8] & 0xc0) | (masked[8] & 0x3f));
	return !k.has_failed && uuid_write(j, masked, out);
}

/* --- bytea ---------------------------------------------------------------- */

/* Text is the `hex` form; the old `escape` form becomes NULL. */
bool
mask_bytes_spelled(struct mask_type type, struct text value, struct arena *a,
    struct text *out)
{
	const struct text hex = {value.at + 2, value.len < 2 ? 0 : value.len - 2};
	uint8_t *bytes;

	*out = value;
	if (type.is_binary || !text_starts(value, TEXT("\\x")))
		return true;
	bytes = arena_alloc(a, hex.len / 2 + 1);
	*out = (struct text){(const char *)bytes, hex.len / 2};
	return bytes != NULL && hex_read(hex, '\0', bytes, out->len);
}

bool
mask_bytea(const struct mask_job *j, struct text *out)
{
	bool is_hex = !j->type.is_binary;
	size_t len = is_hex ? j->value.len / 2 - 1 : j->value.len, i;
	uint8_t *bytes, *plain;
	struct keyed k;

	if (j->mask != MASK_PSEUDONYM ||
	    (is_hex && (j->value.len < 2 || j->value.at[0] != '\\' ||
			   j->value.at[1] != 'x')) ||
	    len == 0)
		return false;
	plain = arena_alloc(j->arena, len);
	bytes = arena_alloc(j->arena, 2 * len + 2);
	if (plain == NULL || bytes == NULL)
		return false;
	if (!is_hex)
		memcpy(plain, j->value.at, len);
	else if (!hex_read((struct text){j->value.at + 2, j->value.len - 2},
		     '\0', plain, len))
		return false;
	keyed_start(&k, j->key, "bytes",
	    (struct text){(const char *)plain, len}, 0);
	for (i = 0; i < len; i++)
		plain[i] = (uint8_t)(plain[i] ^ (1 + keyed_below(&k, 255)));
	if (is_hex) {
		memcpy(bytes, "\\x", 2);
		hex_write((char *)bytes + 2, plain, len);
	}
	*out = is_hex ? (struct text){(char *)bytes, 2 * len + 2}
		      : (struct text){(char *)plain, len};
	return !k.has_failed;
}

/* --- inet, cidr ----------------------------------------------------------- */

enum { FAMILY_V4 = 2, FAMILY_V6 = 3, INET_HEADER = 4 };

struct address {
	bool is_v6;
	unsigned bits; /* of the netmask */
	bool has_mask; /* written out in text */
	uint8_t bytes[16];
};

static size_t
address_len(const struct address *a)
{
	return a->is_v6 ? 16 : 4;
}

static bool
address_read_binary(struct text value, struct address *out)
{
	if (value.len < INET_HEADER)
		return false;
	out->is_v6 = value.at[0] == FAMILY_V6;
	out->bits = (uint8_t)value.at[1];
	if ((value.at[0] != FAMILY_V4 && value.at[0] != FAMILY_V6) ||
	    (uint8_t)value.at[3] != address_len(out) ||
	    value.len != INET_HEADER + address_len(out))
		return false;
	memcpy(out->bytes, value.at + INET_HEADER, address_len(out));
	return out->bits <= 8 * address_len(out);
}

static bool
address_read_text(struct text value, struct address *out)
{
	char line[INET6_ADDRSTRLEN + 1];
	const char *slash = memchr(value.at, '/', value.len);
	size_t len = slash == NULL ? value.len : (size_t)(slash - value.at), i;

	if (len == 0 || len >= sizeof(line))
		return false;
	memcpy(line, value.at, len);
	line[len] = '\0';
	out->is_v6 = memchr(line, ':', len) != NULL;
	out->has_mask = slash != NULL;
	out->bits = slash == NULL ? (unsigned)(8 * address_len(out)) : 0;
	if (value.len - len > 4 || value.len == len + 1)
		return false;
	for (i = len + 1; i < value.len; i++) {
		if (value.at[i] < '0' || value.at[i] > '9')
			return false;
		out->bits = out->bits * 10 + (unsigned)(value.at[i] - '0');
	}
	return out->bits <= 8 * address_len(out) &&
	    inet_pton(out->is_v6 ? AF_INET6 : AF_INET, line, out->bytes) == 1;
}

static bool
address_write(
    const struct mask_job *j, const struct address *a, struct text *out)
{
	uint8_t bytes[INET_HEADER + 16];
	char line[INET6_ADDRSTRLEN];

	bytes[0] = a->is_v6 ? FAMILY_V6 : FAMILY_V4;
	bytes[1] = (uint8_t)a->bits;
	bytes[2] = j->type.oid == TYPE_CIDR;
	bytes[3] = (uint8_t)address_len(a);
	memcpy(bytes + INET_HEADER, a->bytes, address_len(a));
	if (j->type.is_binary)
		return mask_bytes(j, out, bytes, INET_HEADER + address_len(a));
	if (inet_ntop(a->is_v6 ? AF_INET6 : AF_INET, a->bytes, line,
		sizeof(line)) == NULL)
		return false;
	if (a->has_mask)
		return mask_printf(j, out, "%s/%u", line, a->bits);
	return mask_printf(j, out, "%s", line);
}

/* A network keeps its width: the bits of the host stay zero. */
static void
address_clear_host(struct address *a)
{
	size_t bit;

	for (bit = a->bits; bit < 8 * address_len(a); bit++)
		a->bytes[bit / 8] &= (uint8_t)~(0x80u >> bit % 8);
}

bool
mask_inet(const struct mask_job *j, struct text *out)
{
	struct address a = {0};
	struct keyed k;
	size_t i;

	if (j->mask != MASK_PSEUDONYM)
		return false;
	if (j->type.is_binary ? !address_read_binary(j->value, &a)
			      : !address_read_text(j->value, &a))
		return false;
	keyed_start(&k, j->key, "address",
	    (struct text){(const char *)a.bytes, address_len(&a)}, 0);
	for (i = 0; i < address_len(&a); i++)
		a.bytes[i] = keyed_byte(&k);
	if (j->type.oid == TYPE_CIDR)
		address_clear_host(&a);
	return !k.has_failed && address_write(j, &a, out) &&
	    !text_is(*out, j->value);
}

/* --- macaddr, macaddr8 ---------------------------------------------------- */

bool
mask_macaddr(const struct mask_job *j, struct text *out)
{
	size_t len = j->type.oid == TYPE_MACADDR ? 6 : 8, i;
	uint8_t bytes[8];
	char line[3 * 8];
	struct keyed k;

	if (j->mask != MASK_PSEUDONYM)
		return false;
	if (j->type.is_binary && j->value.len != len)
		return false;
	if (j->type.is_binary)
		memcpy(bytes, j->value.at, len);
	else if (!hex_read(j->value, ':', bytes, len))
		return false;
	keyed_start(&k, j->key, "mac",
	    (struct text){(const char *)bytes, len}, 0);
	for (i = 0; i < len; i++)
		bytes[i] = (uint8_t)(bytes[i] ^ (1 + keyed_below(&k, 255)));
	if (k.has_failed)
		return false;
	if (j->type.is_binary)
		return mask_bytes(j, out, bytes, len);
	for (i = 0; i < len; i++) {
		hex_write(line + 3 * i, bytes + i, 1);
		line[3 * i + 2] = ':';
	}
	return mask_bytes(j, out, (const uint8_t *)line, 3 * len - 1);
}
