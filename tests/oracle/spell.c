/*
 * spell.c - see spell.h.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "spell.h"

enum {
	TOKENS_MAX = 20000,
	KEYWORD_UNRESERVED = 1,
	/* a token's bytes grow by no more than this each, and by this once:
	 * quotes, an escape, what comes before it */
	GROWTH_EACH = 8,
	GROWTH_ONCE = 64
};

struct spelling {
	const char *sql;
	char *to;
	size_t len;
	struct chance *chance;
};

static struct scanned tokens[TOKENS_MAX];

size_t
chance_below(struct chance *c, size_t limit)
{
	c->state ^= c->state << 13;
	c->state ^= c->state >> 7;
	c->state ^= c->state << 17;
	return (size_t)(c->state % limit);
}

static void
put(struct spelling *s, const char *bytes, size_t len)
{
	memcpy(s->to + s->len, bytes, len);
	s->len += len;
}

static void
put_string(struct spelling *s, const char *string)
{
	put(s, string, strlen(string));
}

/* The last few are comments, which libpg_query's scanner, but not the
 * server's, takes for the end of a string that goes on in the next line. */
static void
put_gap(struct spelling *s, bool was_there)
{
	static const char *const gaps[] = {" ", "  ", "\t", "\n", "\f", "\r\n",
	    "\n\n\t \f", " /* drop table a; */ ", " /* ' /* \" */ $$ */\t",
	    " -- ' ; delete from b\n"};
	size_t count = sizeof(gaps) / sizeof(gaps[0]);

	if (s->len > 0 && s->to[s->len - 1] == '\'')
		count -= 3;
	if (was_there || chance_below(s->chance, 4) == 0)
		put_string(s, gaps[chance_below(s->chance, count)]);
}

static void
put_cased(struct spelling *s, const char *at, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		bool upper = chance_below(s->chance, 2) == 0;
		unsigned char c = (unsigned char)at[i];

		if (c < 0x80)
			c = (unsigned char)(upper ? toupper(c) : tolower(c));
		s->to[s->len++] = (char)c;
	}
}

/* As the server folds it, in quotes. */
static void
put_quoted(struct spelling *s, const char *at, size_t len)
{
	size_t i;

	put_string(s, "\"");
	for (i = 0; i < len; i++) {
		unsigned char c = (unsigned char)at[i];

		s->to[s->len++] = (char)(c < 0x80 ? tolower(c) : c);
	}
	put_string(s, "\"");
}

/* The same with some letters as escapes. */
static void
put_unicode(struct spelling *s, const char *at, size_t len)
{
	bool other = chance_below(s->chance, 2) == 0;
	size_t i;

	put_string(s, chance_below(s->chance, 2) ? "U&\"" : "u&\"");
	for (i = 0; i < len; i++) {
		unsigned char c = (unsigned char)at[i];

		if (c < 0x80)
			c = (unsigned char)tolower(c);
		if (c < 0x80 && chance_below(s->chance, 3) == 0)
			s->len += (size_t)sprintf(s->to + s->len, "%c%04X",
			    other ? '!' : '\\', c);
		else
			s->to[s->len++] = (char)c;
	}
	put_string(s, other ? "\" UESCAPE '!'" : "\"");
}

static void
put_name(struct spelling *s, const char *at, size_t len)
{
	if (at[0] == '"' || chance_below(s->chance, 3) == 0 ||
	    (toupper((unsigned char)at[0]) == 'U' && at[1] == '&')) {
		put(s, at, len);
		return;
	}
	switch (chance_below(s->chance, 3)) {
	case 0:
		put_quoted(s, at, len);
		break;
	case 1:
		put_unicode(s, at, len);
		break;
	default:
		put_cased(s, at, len);
		break;
	}
}

static void
put_dollars(struct spelling *s, const char *at, size_t len)
{
	size_t i;

	put_string(s, "$Q_1$");
	for (i = 1; i + 1 < len; i++) {
		s->to[s->len++] = at[i];
		if (at[i] == '\'')
			i++;
	}
	put_string(s, "$Q_1$");
}

/* Only 'strings' in one piece and without escapes have other spellings. */
static void
put_constant(struct spelling *s, const char *at, size_t len)
{
	bool plain = at[0] == '\'' && memchr(at, '\\', len) == NULL &&
	    memchr(at, '\n', len) == NULL && memchr(at, '$', len) == NULL;

	switch (plain ? chance_below(s->chance, 4) : 0) {
	case 1:
		put_string(s, chance_below(s->chance, 2) ? " E" : " e");
		put(s, at, len);
		break;
	case 2:
		put_string(s, " U&");
		put(s, at, len);
		break;
	case 3:
		put_string(s, " ");
		put_dollars(s, at, len);
		break;
	default:
		put(s, at, len);
		break;
	}
}

static void
put_token(struct spelling *s, const struct scanned *t)
{
	const char *at = s->sql + t->start;
	size_t len = t->end - t->start;

	if (t->keyword != 0)
		put_cased(s, at, len);
	else if (t->kind == SCANNED_NAME)
		put_name(s, at, len);
	else if (t->kind == SCANNED_STRING)
		put_constant(s, at, len);
	else
		put(s, at, len);
}

static bool
begin(struct spelling *s, size_t *count_out)
{
	size_t i, count, kept = 0;
	size_t len = strlen(s->sql);

	if (!parsed_scan(s->sql, tokens, TOKENS_MAX, &count))
		return false;
	for (i = 0; i < count; i++) {
		if (tokens[i].kind != SCANNED_LINE_COMMENT &&
		    tokens[i].kind != SCANNED_COMMENT)
			tokens[kept++] = tokens[i];
	}
	*count_out = kept;
	s->to = kept == 0
	    ? NULL
	    : malloc(len * GROWTH_EACH + (kept + 1) * GROWTH_ONCE);
	return s->to != NULL;
}

char *
spell_otherwise(const char *sql, struct chance *c)
{
	struct spelling s = {.sql = sql, .chance = c};
	size_t i, count, end = 0;

	if (!begin(&s, &count))
		return NULL;
	for (i = 0; i < count; i++) {
		put_gap(&s, i > 0 && tokens[i].start > end);
		put_token(&s, &tokens[i]);
		end = tokens[i].end;
	}
	put_gap(&s, false);
	if (chance_below(c, 2) == 0)
		put_string(&s, ";");
	s.to[s.len] = '\0';
	return s.to;
}

/* ONLY (t) is read and written: what is around it is not looked at. */
static bool
comes_after_only(const char *sql, size_t token)
{
	return token > 0 &&
	    strncasecmp(sql + tokens[token - 1].start, "only", 4) == 0;
}

/* Which token? `count`: none such. */
static size_t
pick(const char *sql, struct chance *c, size_t count,
    bool (*is_wanted)(const struct scanned *))
{
	size_t start = chance_below(c, count), i;

	for (i = 0; i < count; i++) {
		size_t token = (start + i) % count;

		if (is_wanted(&tokens[token]) && !comes_after_only(sql, token))
			return token;
	}
	return count;
}

static char *
spell_around(const char *sql, struct chance *c,
    bool (*is_wanted)(const struct scanned *), const char *before,
    const char *after)
{
	struct spelling s = {.sql = sql, .chance = c};
	size_t count, chosen;
	const struct scanned *t;

	if (!begin(&s, &count))
		return NULL;
	chosen = pick(sql, c, count, is_wanted);
	if (chosen == count) {
		free(s.to);
		return NULL;
	}
	t = &tokens[chosen];
	put(&s, sql, t->start);
	put_string(&s, before);
	put(&s, sql + t->start, t->end - t->start);
	put_string(&s, after);
	put_string(&s, sql + t->end);
	s.to[s.len] = '\0';
	return s.to;
}

static bool
is_quotable(const struct scanned *t)
{
	return t->keyword == KEYWORD_UNRESERVED;
}

static bool
is_value(const struct scanned *t)
{
	return t->kind == SCANNED_NAME || t->kind == SCANNED_STRING ||
	    t->kind == SCANNED_INTEGER;
}

char *
spell_quoted(const char *sql, struct chance *c)
{
	return spell_around(sql, c, is_quotable, "\"", "\"");
}

char *
spell_parenthesised(const char *sql, struct chance *c)
{
	return spell_around(sql, c, is_value, "(", ")");
}
