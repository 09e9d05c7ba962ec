/*
 * encoding.c - the table of encodings, and iconv(3) put to use.
 *
 * The rule: a conversion that moves, makes or loses an ASCII byte has failed,
 * for such a byte may be a quote.
 */
#include <errno.h>

#include "common/encoding.h"

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

void
coder_set(struct coder *c, const struct encoding *encoding)
{
	coder_close(c);
	c->encoding = encoding != NULL && encoding->kind == ENCODING_UTF8
			  ? NULL
			  : encoding;
}

static void
close_one(iconv_t *cd)
{
	if (*cd != (iconv_t)0 && *cd != (iconv_t)-1)
		iconv_close(*cd);
	*cd = (iconv_t)0;
}

void
coder_close(struct coder *c)
{
	close_one(&c->to);
	close_one(&c->from);
}

static enum err
convert(iconv_t cd, struct text t, struct arena *a, struct text *out)
{
	size_t room, left, in_left = t.len;
	char *in = (char *)(uintptr_t)t.at, *at; /* iconv() does not write it */

	if (cd == (iconv_t)-1)
		return ERR_UNSUPPORTED;
	if (t.len > SIZE_MAX / 8)
		return ERR_TOO_LONG;
	room = left = t.len * 4 + 16;
	at = arena_alloc(a, room);
	if (at == NULL)
		return ERR_MEMORY;
	out->at = at;
	iconv(cd, NULL, NULL, NULL, NULL);
	/* more than 0: characters it could only replace */
	if (iconv(cd, &in, &in_left, &at, &left) != 0 || in_left != 0 ||
	    iconv(cd, NULL, NULL, &at, &left) != 0)
		return ERR_MALFORMED;
	out->len = room - left;
	return ERR_NONE;
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
	if (c->encoding->iconv == NULL)
		return ERR_UNSUPPORTED;
	if (c->to == (iconv_t)0)
		c->to = iconv_open("UTF-8", c->encoding->iconv);
	e = convert(c->to, t, a, out);
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
	if (c->encoding->iconv == NULL)
		return ERR_UNSUPPORTED;
	if (c->from == (iconv_t)0)
		c->from = iconv_open(c->encoding->iconv, "UTF-8");
	return convert(c->from, t, a, out);
}
