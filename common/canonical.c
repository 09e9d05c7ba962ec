/*
 * canonical.c - tokens to canonical text.
 *
 * The one rule: nothing an attacker can put in a name may look like a space,
 * a bracket or a keyword.
 */
#include "common/canonical.h"

enum { TEXT_MAX = 1 << 30 }; /* keeps all offsets within 32 bits */

static bool
is_plain_name_byte(unsigned char c, bool is_first)
{
	return (c >= 'a' && c <= 'z') || c == '_' || c >= 0x80 ||
	    (!is_first && ((c >= '0' && c <= '9') || c == '$'));
}

/* Would the name, unquoted, be read as itself? */
static bool
is_plain_name(struct text name, const struct word *word)
{
	size_t i;

	if (word != NULL && word->flags & WORD_KEYWORD)
		return false;
	for (i = 0; i < name.len; i++) {
		if (!is_plain_name_byte((unsigned char)name.at[i], i == 0))
			return false;
	}
	return true;
}

/* Bytes that writing a token can take, with the space after it. */
static size_t
token_room(const struct token *t)
{
	switch (t->kind) {
	case TOKEN_WORD:
		return t->name.len + 3;
	case TOKEN_QUOTED:
		return t->name.len * 3 + 3;
	case TOKEN_STRING:
	case TOKEN_NUMBER:
		return 4;
	default:
		return t->raw.len + 1;
	}
}

static size_t
write_text(char *to, struct text t)
{
	memcpy(to, t.at, t.len);
	return t.len;
}

static size_t
write_quoted(char *to, struct text name)
{
	static const char hex[] = "0123456789ABCDEF";
	size_t i, len = 0;

	to[len++] = '"';
	for (i = 0; i < name.len; i++) {
		unsigned char c = (unsigned char)name.at[i];

		if (is_plain_name_byte(c, false) || (c >= 'A' && c <= 'Z')) {
			to[len++] = (char)c;
			continue;
		}
		to[len++] = '%';
		to[len++] = hex[c >> 4];
		to[len++] = hex[c & 15];
	}
	to[len++] = '"';
	return len;
}

static size_t
write_token(char *to, const struct token *t, const struct mark *m)
{
	bool is_reserved = m->word != NULL && m->word->flags & WORD_RESERVED;

	switch (t->kind) {
	case TOKEN_WORD:
		return m->is_name && is_reserved ? write_quoted(to, t->name)
						 : write_text(to, t->name);
	case TOKEN_QUOTED:
		return is_plain_name(t->name, m->word)
		    ? write_text(to, t->name)
		    : write_quoted(to, t->name);
	case TOKEN_STRING:
		return write_text(to, TEXT("'?'"));
	case TOKEN_NUMBER:
		return write_text(to, TEXT("?"));
	default:
		return write_text(to, t->raw);
	}
}

static void
mark_token(const struct words *words, const struct token *t,
    const struct token *before, struct mark *m)
{
	bool is_reserved;

	if (!token_is_name(t))
		return;
	m->hash = text_hash(t->name);
	m->word = words_find(words, t->name, m->hash);
	is_reserved = t->kind == TOKEN_WORD && m->word != NULL &&
	    m->word->flags & WORD_RESERVED;
	m->is_name = !is_reserved ||
	    (before != NULL && token_is_mark(before, '.'));
}

enum err
canonical_make(const struct words *words, const struct token *tokens,
    size_t count, struct arena *a, struct canonical *out)
{
	size_t i, room = 0, len = 0;
	char *to;

	*out = (struct canonical){.tokens = tokens, .count = count};
	for (i = 0; i < count; i++)
		room += token_room(&tokens[i]);
	if (room > TEXT_MAX)
		return ERR_TOO_LONG;
	to = arena_alloc(a, room);
	out->marks = arena_array(a, count, sizeof(*out->marks));
	if (to == NULL || out->marks == NULL)
		return ERR_MEMORY;
	for (i = 0; i < count; i++) {
		struct mark *m = &out->marks[i];

		mark_token(words, &tokens[i], i == 0 ? NULL : &tokens[i - 1],
		    m);
		m->canonical.at = (uint32_t)len;
		len += write_token(to + len, &tokens[i], m);
		m->canonical.len = (uint32_t)len - m->canonical.at;
		to[len++] = ' ';
	}
	out->text = (struct text){to, len == 0 ? 0 : len - 1};
	return ERR_NONE;
}
