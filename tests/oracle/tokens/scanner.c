/*
 * scanner.c - libpg_query's tokens, sorted into the lexer's kinds.
 *
 * They come as protocol buffers: ScanResult has ScanTokens as field 2, these
 * have start, end and token as fields 1, 2 and 4.  Numbers of tokens other
 * than keywords are the same in all versions; a keyword is known by its text.
 */
#include <string.h>
#include <strings.h>

#include "tests/oracle/tokens/scanner.h"

enum { /* of pg_query.proto's Token; lower: the character itself */
	SCAN_IDENT = 258,
	SCAN_UIDENT,
	SCAN_FCONST,
	SCAN_SCONST,
	SCAN_USCONST,
	SCAN_BCONST,
	SCAN_XCONST,
	SCAN_OP,
	SCAN_ICONST,
	SCAN_PARAM,
	SCAN_SQL_COMMENT = 275,
	SCAN_C_COMMENT,
};

struct raw_token {
	uint64_t token;
	size_t start, end;
	bool is_before_comment;
};

struct bytes {
	const unsigned char *at;
	size_t left;
};

static uint64_t
take_number(struct bytes *b)
{
	uint64_t number = 0;
	unsigned shift = 0, byte;

	do {
		if (b->left == 0 || shift > 63)
			return 0;
		byte = *b->at++;
		b->left--;
		number |= (uint64_t)(byte & 0x7f) << shift;
		shift += 7;
	} while (byte & 0x80);
	return number;
}

/* One field: a number, or `part` if it has a length. 0: there is none. */
static uint64_t
take_field(struct bytes *b, uint64_t *number, struct bytes *part)
{
	uint64_t key = b->left > 0 ? take_number(b) : 0;

	*part = (struct bytes){NULL, 0};
	*number = take_number(b);
	if ((key & 7) == 2) {
		*part = (struct bytes){b->at, (size_t)*number};
		if (part->left > b->left)
			return 0;
		b->at += part->left;
		b->left -= part->left;
	}
	return key >> 3;
}

static struct raw_token
read_token(struct bytes b)
{
	struct raw_token t = {0};
	struct bytes part;
	uint64_t field, number;

	while ((field = take_field(&b, &number, &part)) != 0) {
		if (field == 1)
			t.start = (size_t)number;
		else if (field == 2)
			t.end = (size_t)number;
		else if (field == 4)
			t.token = number;
	}
	return t;
}

static bool
is_keyword(const char *sql, const struct raw_token *t, const char *word)
{
	return t->token > SCAN_C_COMMENT &&
	       t->end - t->start == strlen(word) &&
	       strncasecmp(sql + t->start, word, strlen(word)) == 0;
}

/* false: the grammar has no such token. */
static bool
kind_of_character(uint64_t c, enum token_kind *out)
{
	*out = strchr("()[],;.:", (int)c) != NULL ? TOKEN_PUNCTUATION
						   : TOKEN_OPERATOR;
	return strchr("()[],;.:+-*/%^<>=", (int)c) != NULL;
}

static bool
kind_of(const char *sql, const struct raw_token *t, enum token_kind *out)
{
	switch (t->token) {
	case SCAN_IDENT:
		*out = sql[t->start] == '"' ? TOKEN_QUOTED : TOKEN_WORD;
		return true;
	case SCAN_UIDENT:
		*out = TOKEN_QUOTED;
		return true;
	case SCAN_SCONST:
	case SCAN_USCONST:
	case SCAN_BCONST:
	case SCAN_XCONST:
		*out = TOKEN_STRING;
		return true;
	case SCAN_FCONST:
	case SCAN_ICONST:
		*out = TOKEN_NUMBER;
		return true;
	case SCAN_PARAM:
		*out = TOKEN_PARAMETER;
		return true;
	default:
		if (t->token < SCAN_IDENT)
			return kind_of_character(t->token, out);
		*out = t->token > SCAN_C_COMMENT ? TOKEN_WORD
							     : TOKEN_OPERATOR;
		return true;
	}
}

/* Does the lexer's last token go on with this one? */
static bool
goes_on(const char *sql, const struct raw_token *last, size_t i,
    const struct raw_token *raw)
{
	static bool awaits_escape;
	bool was_unicode = last->token == SCAN_UIDENT ||
			   last->token == SCAN_USCONST;

	if (i == 0)
		awaits_escape = false;
	if (awaits_escape) {
		awaits_escape = false;
		return raw->token == SCAN_SCONST;
	}
	if (i > 0 && was_unicode && is_keyword(sql, raw, "uescape"))
		return awaits_escape = true;
	return i > 0 && last->end == raw->start &&
	       last->end - last->start == 1 &&
	       last->token > SCAN_C_COMMENT &&
	       (sql[last->start] | 0x20) == 'n' &&
	       raw->token == SCAN_SCONST;
}

static bool
is_string(uint64_t token)
{
	return token >= SCAN_SCONST && token <= SCAN_XCONST;
}

/* Does this scanner let a name follow it at once, and PostgreSQL's not? */
static bool
is_careless(const struct raw_token *t, unsigned version)
{
	return (t->token == SCAN_PARAM && version >= 15) ||
	       ((t->token == SCAN_ICONST || t->token == SCAN_FCONST) &&
		   version == 15);
}

static void
note_peculiar(const char *sql, unsigned version, const struct raw_token *last,
    const struct raw_token *raw, struct scanned *out)
{
	unsigned char first = (unsigned char)sql[raw->start];
	bool is_wordlike = first >= 0x80 || first == '_' || first == '$' ||
			   ((first | 0x20) >= 'a' && (first | 0x20) <= 'z') ||
			   (first >= '0' && first <= '9');

	out->has_unicode |= raw->token == SCAN_UIDENT ||
			    raw->token == SCAN_USCONST;
	if (first != '"' && !is_string(raw->token) &&
	    memchr(sql + raw->start, '?', raw->end - raw->start) != NULL)
		out->is_peculiar = true;
	if (last != NULL && is_careless(last, version) &&
	    last->end == raw->start && is_wordlike)
		out->is_peculiar = true;
	if (last != NULL && last->is_before_comment && first == '\'' &&
	    is_string(last->token))
		out->is_peculiar = true;
}

static void
add(const char *sql, const struct raw_token *last,
    const struct raw_token *raw, size_t i, struct scanned *out)
{
	struct scanned_token *t = &out->tokens[out->count];

	if (goes_on(sql, last, i, raw)) {
		t[-1].kind = t[-1].kind == TOKEN_WORD ? TOKEN_STRING
						      : t[-1].kind;
		t[-1].end = raw->end;
		t[-1].has_end = true;
		return;
	}
	if (out->count == SCANNED_MAX - 1)
		out->is_peculiar = true;
	else if (kind_of(sql, raw, &t->kind))
		out->count++;
	else
		out->has_stranger = true;
	t->start = raw->start;
	t->end = raw->end;
	t->has_end = raw->token != SCAN_UIDENT && raw->token != SCAN_USCONST;
}

/* A comment is no token. An operator that is one is never of that kind. */
static bool
is_comment(uint64_t token)
{
	return token == SCAN_SQL_COMMENT ||
	       token == SCAN_C_COMMENT;
}

void
scanner_run(scan_function scan, unsigned version, const char *sql,
    struct scanned *out)
{
	PgQueryScanResult result = scan(sql);
	struct bytes list = {(const unsigned char *)result.pbuf.data,
	    result.pbuf.len};
	struct raw_token last = {0}, raw;
	struct bytes part;
	uint64_t field, number;
	size_t n = 0;

	out->is_error = result.error != NULL;
	out->has_stranger = out->has_unicode = out->is_peculiar = false;
	out->count = 0;
	if (out->is_error)
		list.left = 0;
	while ((field = take_field(&list, &number, &part)) != 0) {
		if (field != 2)
			continue;
		raw = read_token(part);
		if (is_comment(raw.token)) {
			last.is_before_comment = true;
			continue;
		}
		note_peculiar(sql, version, n > 0 ? &last : NULL, &raw, out);
		add(sql, &last, &raw, n++, out);
		last = raw;
	}
	pg_query_free_scan_result(result);
}
