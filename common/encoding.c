/*
 * encoding.c - the table of encodings, and iconv(3) put to use.
 *
 * The rule: a conversion that moves, makes or loses an ASCII byte has failed,
 * for such a byte may be a quote.
 */
#include <errno.h>

#include "common/encoding.h"

#define ONE(name) {name, sizeof(name) - 1}

static const struct encoding encodings[] = {
    {.name = ONE("UTF8"), .kind = ENCODING_UTF8},
    {.name = ONE("SQL_ASCII"), .kind = ENCODING_RAW},
    {.name = ONE("MULE_INTERNAL"), .kind = ENCODING_RAW},
    {ONE("LATIN1"), "ISO-8859-1", ENCODING_EXACT},
    {ONE("LATIN2"), "ISO-8859-2", ENCODING_EXACT},
    {ONE("LATIN3"), "ISO-8859-3", ENCODING_EXACT},
    {ONE("LATIN4"), "ISO-8859-4", ENCODING_EXACT},
    {ONE("LATIN5"), "ISO-8859-9", ENCODING_EXACT},
    {ONE("LATIN6"), "ISO-8859-10", ENCODING_EXACT},
    {ONE("LATIN7"), "ISO-8859-13", ENCODING_EXACT},
    {ONE("LATIN8"), "ISO-8859-14", ENCODING_EXACT},
    {ONE("LATIN9"), "ISO-8859-15", ENCODING_EXACT},
    {ONE("LATIN10"), "ISO-8859-16", ENCODING_EXACT},
    {ONE("ISO_8859_5"), "ISO-8859-5", ENCODING_EXACT},
    {ONE("ISO_8859_6"), "ISO-8859-6", ENCODING_EXACT},
    {ONE("ISO_8859_7"), "ISO-8859-7", ENCODING_EXACT},
    {ONE("ISO_8859_8"), "ISO-8859-8", ENCODING_EXACT},
    {ONE("KOI8R"), "KOI8-R", ENCODING_EXACT},
    {ONE("KOI8U"), "KOI8-U", ENCODING_EXACT},
    {ONE("WIN866"), "CP866", ENCODING_EXACT},
    {ONE("WIN874"), "CP874", ENCODING_EXACT},
    {ONE("WIN1250"), "CP1250", ENCODING_EXACT},
    {ONE("WIN1251"), "CP1251", ENCODING_EXACT},
    {ONE("WIN1252"), "CP1252", ENCODING_EXACT},
    {ONE("WIN1253"), "CP1253", ENCODING_EXACT},
    {ONE("WIN1254"), "CP1254", ENCODING_EXACT},
    /* iconv joins a letter and its marks in these two */
    {ONE("WIN1255"), "CP1255", ENCODING_DOUBTFUL},
    {ONE("WIN1258"), "CP1258", ENCODING_DOUBTFUL},
    {ONE("WIN1256"), "CP1256", ENCODING_EXACT},
    {ONE("WIN1257"), "CP1257", ENCODING_EXACT},
    {ONE("EUC_CN"), "EUC-CN", ENCODING_EXACT},
    {ONE("EUC_KR"), "EUC-KR", ENCODING_EXACT},
    {ONE("EUC_TW"), "EUC-TW", ENCODING_EXACT},
    /* a few signs have two places in Unicode */
    {ONE("EUC_JP"), "EUC-JP", ENCODING_DOUBTFUL},
    {ONE("EUC_JIS_2004"), "EUC-JISX0213", ENCODING_DOUBTFUL},
    {ONE("SJIS"), "CP932", ENCODING_CLIENT_ONLY},
    {ONE("SHIFT_JIS_2004"), "SHIFT_JISX0213", ENCODING_CLIENT_ONLY},
    {ONE("BIG5"), "BIG5", ENCODING_CLIENT_ONLY},
    {ONE("GBK"), "GBK", ENCODING_CLIENT_ONLY},
    {ONE("UHC"), "UHC", ENCODING_CLIENT_ONLY},
    {ONE("JOHAB"), "JOHAB", ENCODING_CLIENT_ONLY},
    {ONE("GB18030"), "GB18030", ENCODING_CLIENT_ONLY},
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
	if (e == ERR_NONE && c->encoding->kind != ENCODING_CLIENT_ONLY &&
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
