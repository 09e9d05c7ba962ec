/*
 * flat.c - canonical text with its groups lifted out (see canonical.h).
 *
 * The one rule: linear in the number of tokens, however they nest: a group is
 * walked once, and jumps over the groups within it.
 */
#include "common/canonical.h"

enum {
	NONE = UINT32_MAX,
	/* A context is one token that may stand before a group: the longest
	 * is a quoted name of 63 bytes, each written %XX. */
	CONTEXT_MAX = 3 * 63 + 2
};

struct group {
	uint32_t open, close; /* tokens; root: NONE, count */
	uint32_t context;     /* the token before it; NONE: nothing */
};

struct flattener {
	const struct canonical *c;
	struct group *groups; /* in the order they open; 0 is the root */
	size_t group_count;
	uint32_t *closes; /* of an opening token: the token that closes it */
	size_t semicolons;
	char *to;
	struct flat *out;
};

static char
bracket_of(const struct token *t)
{
	char c;

	if (t->kind != TOKEN_PUNCTUATION)
		return '\0';
	c = t->raw.at[0];
	return c == '(' || c == ')' || c == '[' || c == ']' || c == ';' ? c
									: '\0';
}

/* What stands before a group; a group that opens a group hands on its own. */
static uint32_t
context_of(const struct flattener *f, uint32_t open, const struct group *parent)
{
	uint32_t before = open - 1;

	if (open == 0)
		return NONE;
	if (before == parent->open)
		return parent->context;
	if (bracket_of(&f->c->tokens[before]) == ';')
		return NONE;
	return before;
}

/* Pair the brackets: groups[], closes[]. `stack` has the open groups. */
static const char *
pair(struct flattener *f, uint32_t *stack)
{
	const struct token *tokens = f->c->tokens;
	size_t depth = 0;
	uint32_t i;

	f->groups[0] = (struct group){NONE, (uint32_t)f->c->count, NONE};
	f->group_count = 1;
	stack[0] = 0;
	for (i = 0; i < f->c->count; i++) {
		char bracket = bracket_of(&tokens[i]);
		struct group *g = &f->groups[stack[depth]];

		if (bracket == '(' || bracket == '[') {
			if (depth == FLAT_DEPTH_MAX)
				return "brackets nest too deep";
			stack[++depth] = (uint32_t)f->group_count;
			f->groups[f->group_count++] = (struct group){
			    i, NONE, context_of(f, i, g)};
		} else if (bracket == ')' || bracket == ']') {
			if (depth == 0 ||
			    bracket_of(&tokens[g->open]) !=
				(bracket == ')' ? '(' : '['))
				return "brackets do not pair";
			g->close = f->closes[g->open] = i;
			depth--;
		} else if (bracket == ';') {
			f->semicolons++;
		}
	}
	return depth == 0 ? NULL : "brackets do not pair";
}

static void
put(struct flattener *f, struct text t)
{
	memcpy(f->to + f->out->text.len, t.at, t.len);
	f->out->text.len += t.len;
}

static struct text
token_text(const struct flattener *f, uint32_t token)
{
	struct span s = f->c->marks[token].canonical;

	return (struct text){f->c->text.at + s.at, s.len};
}

/* The tokens before `end` as they stand in the canonical text. */
static void
put_tokens(struct flattener *f, struct line *l, uint32_t first, uint32_t end)
{
	const struct mark *marks = f->c->marks;
	uint32_t to = (uint32_t)f->out->text.len, start, i;

	if (first >= end)
		return;
	if (l->first == f->c->count)
		l->first = first;
	start = marks[first].canonical.at;
	for (i = first; i < end; i++)
		f->out->places[f->out->place_count++] = (struct place_of_token){
		    to + marks[i].canonical.at - start, i};
	put(f, (struct text){f->c->text.at + start,
		   marks[end - 1].canonical.at +
		       marks[end - 1].canonical.len - start});
	put(f, TEXT(" "));
}

static struct line *
begin_line(struct flattener *f, size_t group)
{
	struct line *l = &f->out->lines[f->out->line_count++];
	const struct group *g = &f->groups[group];

	l->span.at = (uint32_t)f->out->text.len;
	l->group = (uint32_t)group;
	l->is_root = group == 0;
	l->first = (uint32_t)f->c->count;
	if (!l->is_root) {
		if (g->context != NONE)
			put(f, token_text(f, g->context));
		put(f, token_text(f, g->open));
		put(f, TEXT(" "));
	}
	l->content = (uint32_t)f->out->text.len;
	l->place = (uint32_t)f->out->place_count;
	return l;
}

/* The last token's space becomes the line's end. */
static void
end_line(struct flattener *f, struct line *l)
{
	if (f->out->text.len == l->span.at)
		put(f, TEXT(" ")); /* nothing between two semicolons */
	f->to[f->out->text.len - 1] = '\n';
	l->span.len = (uint32_t)f->out->text.len - 1 - l->span.at;
	l->place_count = (uint32_t)f->out->place_count - l->place;
	if (l->content > l->span.at + l->span.len)
		l->content = l->span.at + l->span.len;
}

static void
put_group(struct flattener *f, size_t group)
{
	const struct group *g = &f->groups[group];
	struct line *l = begin_line(f, group);
	uint32_t i, from = g->open + 1; /* what is to be put next */

	for (i = from; i < g->close; i++) {
		char bracket = bracket_of(&f->c->tokens[i]);

		if (bracket == ';') {
			put_tokens(f, l, from, i);
			end_line(f, l);
			l = begin_line(f, group);
			from = i + 1;
		} else if (bracket == '(' || bracket == '[') {
			put_tokens(f, l, from, i + 1);
			from = i = f->closes[i];
		}
	}
	put_tokens(f, l, from, g->close);
	end_line(f, l);
}

/* Room for everything: each token once, for each line its context again. */
static enum err
make_room(struct flattener *f, struct arena *a)
{
	size_t count = f->c->count, room = f->c->text.len + 2, i;
	size_t lines = f->group_count + f->semicolons;

	for (i = 1; i < f->group_count; i++) {
		uint32_t context = f->groups[i].context;

		room += 4;
		if (context != NONE)
			room += f->c->marks[context].canonical.len;
	}
	/* each line after a semicolon repeats its group's context */
	room += f->semicolons * (4 + CONTEXT_MAX);
	if (room > UINT32_MAX)
		return ERR_TOO_LONG;
	f->to = arena_alloc(a, room);
	f->out->lines = arena_array(a, lines, sizeof(*f->out->lines));
	f->out->places = arena_array(a, count, sizeof(*f->out->places));
	if (f->to == NULL || f->out->lines == NULL || f->out->places == NULL)
		return ERR_MEMORY;
	f->out->text.at = f->to;
	return ERR_NONE;
}

static size_t
count_opening(const struct canonical *c)
{
	size_t i, count = 0;

	for (i = 0; i < c->count; i++) {
		char bracket = bracket_of(&c->tokens[i]);

		count += bracket == '(' || bracket == '[';
	}
	return count;
}

enum err
flat_make(const struct canonical *c, struct arena *a, struct flat *out,
    const char **why_out)
{
	struct flattener f = {.c = c, .out = out};
	uint32_t stack[FLAT_DEPTH_MAX + 1];
	enum err e;
	size_t i;

	*out = (struct flat){0};
	f.groups = arena_array(a, count_opening(c) + 1, sizeof(*f.groups));
	f.closes = arena_array(a, c->count, sizeof(*f.closes));
	if (f.groups == NULL || f.closes == NULL)
		return ERR_MEMORY;
	*why_out = pair(&f, stack);
	if (*why_out != NULL)
		return ERR_MALFORMED;
	e = make_room(&f, a);
	if (e != ERR_NONE)
		return e;
	for (i = 0; i < f.group_count; i++)
		put_group(&f, i);
	return ERR_NONE;
}

size_t
flat_place_at(const struct flat *f, size_t at)
{
	size_t low = 0, high = f->place_count;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (f->places[middle].at <= at)
			low = middle;
		else
			high = middle;
	}
	return low;
}
