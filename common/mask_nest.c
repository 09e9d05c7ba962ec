/*
 * mask_nest.c - reading and writing values made of values; see mask_nest.h.
 */
#include "common/mask_nest.h"

enum { ROOM_FIRST = 256 };

/* array_isspace() and isspace() of the C locale agree on these. */
static bool
is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool
is_mark(const struct nest_quoting *q, char c)
{
	return is_space(c) || (c != '\0' && strchr(q->marks, c) != NULL);
}

/* --- reading -------------------------------------------------------------- */

bool
nest_has(struct nest_cursor *c, char c_wanted)
{
	if (c->at == c->text.len || c->text.at[c->at] != c_wanted)
		return false;
	c->at++;
	return true;
}

/* Where the quotes close that opened before `at`, and how many bytes are
 * inside once unescaped. False: nowhere. */
static bool
find_close(const struct nest_cursor *c, const struct nest_quoting *q,
    size_t *close_out, size_t *len_out)
{
	const char *text = c->text.at;
	size_t i, len = 0;

	for (i = c->at; i < c->text.len; i++, len++) {
		bool is_escape = text[i] == '\\' ||
		    (text[i] == '"' && q->escape == '"' &&
			i + 1 < c->text.len && text[i + 1] == '"');

		if (text[i] == '"' && !is_escape) {
			*close_out = i;
			*len_out = len;
			return true;
		}
		i += is_escape; /* what follows stands for itself */
	}
	return false;
}

static bool
read_quoted(struct nest_cursor *c, const struct nest_quoting *q,
    struct arena *a, struct nest_part *out)
{
	size_t close, len, i, done = 0;
	char *copy;

	if (!find_close(c, q, &close, &len))
		return false;
	out->is_quoted = true;
	out->value = (struct text){c->text.at + c->at, len};
	if (len != close - c->at) {
		copy = arena_alloc(a, len);
		if (copy == NULL)
			return false;
		for (i = c->at; i < close; i++) {
			char at = c->text.at[i];

			/* inside, a lone quote is always the first of two */
			i += at == '\\' || at == '"';
			copy[done++] = c->text.at[i];
		}
		out->value.at = copy;
	}
	c->at = close + 1;
	return true;
}

bool
nest_read(struct nest_cursor *c, const struct nest_quoting *q,
    struct arena *a, struct nest_part *out)
{
	size_t start = c->at;

	if (nest_has(c, '"'))
		return read_quoted(c, q, a, out);
	while (c->at < c->text.len && !is_mark(q, c->text.at[c->at]))
		c->at++;
	out->is_quoted = false;
	out->value = (struct text){c->text.at + start, c->at - start};
	return true;
}

bool
nest_read_binary(struct wire *w, struct text *out)
{
	int32_t len = wire_i32(w);

	if (len < -1)
		w->bad = true;
	if (len < 0)
		return false;
	*out = wire_bytes(w, (size_t)len);
	return !w->bad;
}

/* --- writing -------------------------------------------------------------- */

static bool
reserve(struct nest_builder *b, size_t more)
{
	size_t room = b->room == 0 ? ROOM_FIRST : b->room;
	char *copy;

	if (b->has_failed || more > MASK_VALUE_MAX - b->len) {
		b->has_failed = true;
		return false;
	}
	if (more <= b->room - b->len)
		return true;
	while (room - b->len < more)
		room *= 2;
	copy = arena_alloc(b->arena, room);
	if (copy == NULL) {
		b->has_failed = true;
		return false;
	}
	if (b->len > 0)
		memcpy(copy, b->at, b->len);
	b->at = copy;
	b->room = room;
	return true;
}

void
nest_put(struct nest_builder *b, struct text bytes)
{
	if (bytes.len == 0 || !reserve(b, bytes.len))
		return;
	memcpy(b->at + b->len, bytes.at, bytes.len);
	b->len += bytes.len;
}

void
nest_put_char(struct nest_builder *b, char c)
{
	nest_put(b, (struct text){&c, 1});
}

void
nest_put_u32(struct nest_builder *b, uint32_t number)
{
	uint8_t bytes[4];

	mask_put(bytes, sizeof(bytes), number);
	nest_put(b, (struct text){(const char *)bytes, sizeof(bytes)});
}

static bool
needs_quotes(const struct nest_quoting *q, struct text part)
{
	size_t i;

	if (part.len == 0 ||
	    (q->has_null && text_is_folded(part, TEXT("null"))))
		return true;
	for (i = 0; i < part.len; i++) {
		if (is_mark(q, part.at[i]))
			return true;
	}
	return false;
}

void
nest_put_part(struct nest_builder *b, const struct nest_quoting *q,
    struct text part)
{
	size_t i, done = 0;

	if (!needs_quotes(q, part)) {
		nest_put(b, part);
		return;
	}
	nest_put_char(b, '"');
	for (i = 0; i < part.len; i++) {
		if (part.at[i] != '"' && part.at[i] != '\\')
			continue;
		nest_put(b, (struct text){part.at + done, i - done});
		nest_put_char(b, part.at[i] == '"' ? q->escape : '\\');
		done = i; /* and then the byte itself */
	}
	nest_put(b, (struct text){part.at + done, part.len - done});
	nest_put_char(b, '"');
}

void
nest_put_masked(struct nest_builder *b, const struct masked *m)
{
	nest_put_u32(b, m->is_null ? UINT32_MAX : (uint32_t)m->value.len);
	if (!m->is_null)
		nest_put(b, m->value);
}

bool
nest_done(const struct nest_builder *b, struct text *out)
{
	*out = (struct text){b->at, b->len};
	return !b->has_failed && b->len > 0;
}
