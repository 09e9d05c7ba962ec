/*
 * encoding.c - the table of encodings, and conversion by tables.
 *
 * The rule: a conversion that moves, makes or loses an ASCII byte has failed,
 * for such a byte may be a quote.
 */
#include <string.h>

#include "common/encoding.h"
#include "common/encoding_data.h"

#define ONE(name) {name, sizeof(name) - 1}
/* A row of the table; what else is true of it follows. */
#define EXACT(its_name, its_iconv, ...)                                        \
	{.name = ONE(its_name), .iconv = its_iconv, .kind = ENCODING_EXACT,    \
	    __VA_ARGS__}
#define DOUBTFUL(its_name, its_iconv, ...)                                     \
	{.name = ONE(its_name), .iconv = its_iconv, .kind = ENCODING_DOUBTFUL, \
	    __VA_ARGS__}

static const struct encoding encodings[] = {
    {.name = ONE("UTF8"), .kind = ENCODING_UTF8},
    {.name = ONE("SQL_ASCII"), .kind = ENCODING_RAW},
    {.name = ONE("MULE_INTERNAL"), .kind = ENCODING_RAW, .is_ambiguous = true},
    EXACT("LATIN1", "ISO-8859-1"),
    EXACT("LATIN2", "ISO-8859-2"),
    EXACT("LATIN3", "ISO-8859-3"),
    EXACT("LATIN4", "ISO-8859-4"),
    EXACT("LATIN5", "ISO-8859-9"),
    EXACT("LATIN6", "ISO-8859-10"),
    EXACT("LATIN7", "ISO-8859-13"),
    EXACT("LATIN8", "ISO-8859-14"),
    EXACT("LATIN9", "ISO-8859-15"),
    EXACT("LATIN10", "ISO-8859-16"),
    EXACT("ISO_8859_5", "ISO-8859-5"),
    EXACT("ISO_8859_6", "ISO-8859-6"),
    EXACT("ISO_8859_7", "ISO-8859-7"),
    EXACT("ISO_8859_8", "ISO-8859-8"),
    EXACT("KOI8R", "KOI8-R"),
    EXACT("KOI8U", "KOI8-U"),
    EXACT("WIN866", "CP866"),
    EXACT("WIN874", "CP874"),
    EXACT("WIN1250", "CP1250"),
    EXACT("WIN1251", "CP1251"),
    EXACT("WIN1252", "CP1252"),
    EXACT("WIN1253", "CP1253"),
    EXACT("WIN1254", "CP1254"),
    /* iconv joins a letter and its marks in these two */
    DOUBTFUL("WIN1255", "CP1255"),
    DOUBTFUL("WIN1258", "CP1258"),
    EXACT("WIN1256", "CP1256"),
    EXACT("WIN1257", "CP1257"),
    EXACT("EUC_CN", "EUC-CN"),
    EXACT("EUC_KR", "EUC-KR"),
    EXACT("EUC_TW", "EUC-TW", .is_ambiguous = true),
    EXACT("EUC_JP", "EUC-JP-MS", .is_ambiguous = true),
    /* a few signs have two places in Unicode */
    DOUBTFUL("EUC_JIS_2004", "EUC-JISX0213", .is_ambiguous = true),
    EXACT("SJIS", "CP932", .is_client_only = true),
    EXACT("GBK", "GBK", .is_client_only = true),
    EXACT("UHC", "UHC", .is_client_only = true),
    /* the server has a backslash where iconv has a letter, and iconv another
     * sign where the server has one */
    DOUBTFUL("SHIFT_JIS_2004", "SHIFT_JISX0213", .is_client_only = true),
    DOUBTFUL("JOHAB", "JOHAB", .is_client_only = true),
    DOUBTFUL("BIG5", "BIG5", .is_client_only = true),
    DOUBTFUL("GB18030", "GB18030", .is_client_only = true),
};

const struct encoding *
encoding_by_name(struct text name)
{
	size_t i;

	for (i = 0; i < sizeof(encodings) / sizeof(encodings[0]); i++) {
		if (text_is(encodings[i].name, name))
			return &encodings[i];
	}
	return NULL;
}

const struct encoding *
encoding_effective(
    const struct encoding *client, const struct encoding *server)
{
	static const struct text raw = ONE("SQL_ASCII");

	if (client == NULL || server == NULL)
		return client;
	if (text_is(client->name, raw))
		return server;
	/* bytes as they are: but what is checked to be UTF-8 is UTF-8 */
	return text_is(server->name, raw) && client->kind != ENCODING_UTF8
		   ? server
		   : client;
}

/* --- characters ------------------------------------------------------------ */

static const struct encoding_row *
row_of(const char *iconv)
{
	uint32_t i;

	for (i = 0; iconv != NULL && i < encoding_data.row_count; i++) {
		if (strcmp(encoding_data.rows[i].iconv, iconv) == 0)
			return &encoding_data.rows[i];
	}
	return NULL;
}

static bool
pair_find(uint32_t at, uint32_t count, uint32_t from, uint32_t *to_out)
{
	const struct encoding_pair *all =
	    (const void *)&encoding_data.rows[encoding_data.row_count];
	uint32_t end = at + count, middle;

	while (at < end) {
		middle = at + (end - at) / 2;
		if (all[middle].from == from) {
			*to_out = all[middle].to;
			return true;
		}
		if (all[middle].from < from)
			at = middle + 1;
		else
			end = middle;
	}
	return false;
}

/* GB 18030 counts what is beyond the first plane: four bytes with 126, 10,
 * 126 and 10 values. Everything else is in the tables. */
enum {
	GB_FIRST = 0x90308130,
	GB_PLACES = 0x100000,
};

static bool
gb_decode(uint32_t bytes, uint32_t *place_out)
{
	uint32_t a = bytes >> 24, b = bytes >> 16 & 0xff,
		 c = bytes >> 8 & 0xff, d = bytes & 0xff, n;

	if (a < 0x90 || b < 0x30 || b > 0x39 || c < 0x81 || c > 0xfe ||
	    d < 0x30 || d > 0x39)
		return false;
	n = (((a - 0x90) * 10 + (b - 0x30)) * 126 + (c - 0x81)) * 10 +
	    (d - 0x30);
	*place_out = n + 0x10000;
	return n < GB_PLACES;
}

static uint32_t
gb_encode(uint32_t place)
{
	uint32_t n = place - 0x10000;

	return GB_FIRST + n % 10 + (n / 10 % 126 << 8) +
	    (n / 1260 % 10 << 16) + (n / 12600 << 24);
}

static bool
is_counted(const struct coder *c)
{
	return strcmp(c->row->iconv, "GB18030") == 0;
}

/* The character at `at`: how many bytes it has; 0: it is none. */
static size_t
character_read(
    const struct coder *c, struct text t, size_t at, uint32_t *place_out)
{
	uint32_t bytes = 0;
	size_t n;

	for (n = 1; n <= ENCODING_BYTES_MAX && at + n <= t.len; n++) {
		bytes = bytes << 8 | (uint8_t)t.at[at + n - 1];
		if (pair_find(c->row->decode_at, c->row->decode_count, bytes,
			place_out))
			return n;
	}
	return n > ENCODING_BYTES_MAX && is_counted(c) &&
		gb_decode(bytes, place_out)
	    ? ENCODING_BYTES_MAX
	    : 0;
}

/* Its bytes, the first highest; false: the encoding does not have it. */
static bool
character_write(const struct coder *c, uint32_t place, uint32_t *bytes_out)
{
	if (pair_find(c->row->encode_at, c->row->encode_count, place,
		bytes_out))
		return true;
	*bytes_out = gb_encode(place);
	return place >= 0x10000 && place < 0x10000 + GB_PLACES &&
	    is_counted(c);
}

/* --- UTF-8 ----------------------------------------------------------------- */

static size_t
utf8_write(uint32_t place, char *out)
{
	static const uint8_t heads[] = {0, 0, 0xc0, 0xe0, 0xf0};
	size_t len = place < 0x80 ? 1
	    : place < 0x800	  ? 2
	    : place < 0x10000	  ? 3
				  : 4;
	size_t i;

	for (i = len; i-- > 1; place >>= 6)
		out[i] = (char)(0x80 | (place & 0x3f));
	out[0] = (char)(heads[len] | place);
	return len;
}

/* Of a text that is known to be UTF-8. */
static size_t
utf8_read(struct text t, size_t at, uint32_t *place_out)
{
	uint8_t head = (uint8_t)t.at[at];
	size_t len = head < 0x80 ? 1 : head < 0xe0 ? 2 : head < 0xf0 ? 3 : 4;
	size_t i;

	*place_out = len == 1 ? head : head & (0x7fu >> len);
	for (i = 1; i < len; i++)
		*place_out = *place_out << 6 | ((uint8_t)t.at[at + i] & 0x3f);
	return len;
}

/* --- texts ----------------------------------------------------------------- */

/* Room for the result: a byte becomes three at most, and a character of UTF-8
 * no more than four. */
static enum err
room_make(struct text t, struct arena *a, char **out)
{
	if (t.len > SIZE_MAX / 8)
		return ERR_TOO_LONG;
	*out = arena_alloc(a, t.len * 4 + 4);
	return *out == NULL ? ERR_MEMORY : ERR_NONE;
}

static enum err
decode(const struct coder *c, struct text t, struct arena *a, struct text *out)
{
	uint32_t place;
	size_t at = 0, n;
	char *room;
	enum err e = room_make(t, a, &room);

	if (e != ERR_NONE)
		return e;
	*out = (struct text){room, 0};
	for (; at < t.len; at += n) {
		n = character_read(c, t, at, &place);
		if (n == 0)
			return ERR_MALFORMED;
		out->len += utf8_write(place, room + out->len);
	}
	return ERR_NONE;
}

static enum err
encode(const struct coder *c, struct text t, struct arena *a, struct text *out)
{
	uint32_t place, bytes;
	size_t at = 0, n = 0;
	char *room;
	enum err e = text_is_utf8(t) ? room_make(t, a, &room) : ERR_MALFORMED;
	int shift;

	if (e != ERR_NONE)
		return e;
	while (at < t.len) {
		at += utf8_read(t, at, &place);
		if (!character_write(c, place, &bytes))
			return ERR_MALFORMED;
		for (shift = 24; shift >= 0; shift -= 8) {
			if (bytes >> shift != 0 || shift == 0)
				room[n++] = (char)(bytes >> shift & 0xff);
		}
	}
	*out = (struct text){room, n};
	return ERR_NONE;
}

void
coder_set(struct coder *c, const struct encoding *encoding)
{
	c->row = encoding == NULL ? NULL : row_of(encoding->iconv);
	c->encoding = encoding != NULL && encoding->kind == ENCODING_UTF8
			  ? NULL
			  : encoding;
}

/* The next byte below 0x80, or -1. */
static int
next_ascii(struct text t, size_t *at)
{
	while (*at < t.len && (unsigned char)t.at[*at] >= 0x80)
		++*at;
	return *at < t.len ? t.at[(*at)++] : -1;
}

static bool
has_same_ascii(struct text a, struct text b)
{
	size_t i = 0, k = 0;
	int c;

	do {
		c = next_ascii(a, &i);
		if (c != next_ascii(b, &k))
			return false;
	} while (c >= 0);
	return true;
}

enum err
coder_to_utf8(
    struct coder *c, struct text t, struct arena *a, struct text *out)
{
	enum err e;

	*out = t;
	if (c->encoding == NULL || text_is_ascii(t))
		return ERR_NONE;
	if (c->row == NULL)
		return ERR_UNSUPPORTED;
	e = decode(c, t, a, out);
	if (e == ERR_NONE && !c->encoding->is_client_only &&
	    !has_same_ascii(t, *out))
		e = ERR_MALFORMED;
	return e;
}

enum err
coder_from_utf8(
    struct coder *c, struct text t, struct arena *a, struct text *out)
{
	*out = t;
	if (c->encoding == NULL || text_is_ascii(t))
		return ERR_NONE;
	return c->row == NULL ? ERR_UNSUPPORTED : encode(c, t, a, out);
}
