/*
 * class_need.c - reading patterns for what they need (class_need.h).
 *
 * Only so much of PCRE2's syntax is understood as the class rules have use
 * for: alternatives, groups, look-arounds, characters and how often.  All
 * else makes the reader lost, and then nothing is needed.
 */
#include "common/class_need.h"

/* Characters that are in no name, quoted or not, in canonical text. */
static const char mark_characters[] = "()[],;.:*=<>+-/~!@#^&|`?'";

enum { FIRST_DEPTH_MAX = 8, DEPTH_MAX = 12 }; /* groups in groups */

#define TOKEN_BEGINS "(?<![^ ])"
#define TOKEN_ENDS "(?![^ ])"

struct sifter {
	struct text source;
	size_t at;
	size_t depth; /* groups around here */
	bool lost;
};

/* What one alternative needs so far, and the word it is in. */
struct branch {
	struct need need;
	bool at_boundary; /* a token begins here */
	bool in_word;	  /* that began at one */
	size_t word;	  /* where */
	bool only_catching; /* what it needs when one of its groups catches */
	bool catches;
	bool is_narrowed; /* to that of the one piece that does */
};

static const struct need need_nothing = {.count = 1};

static void read_alternatives(struct sifter *s, bool at_boundary,
    bool only_catching, struct need *out, bool *catches_out);

static bool
looking_at(const struct sifter *s, struct text what)
{
	struct text rest = {s->source.at + s->at, s->source.len - s->at};

	return text_starts(rest, what);
}

static bool
take(struct sifter *s, struct text what)
{
	if (!looking_at(s, what))
		return false;
	s->at += what.len;
	return true;
}

static char
peek(const struct sifter *s)
{
	return s->at < s->source.len ? s->source.at[s->at] : '\0';
}

static bool
is_word_character(char c)
{
	return (c >= 'a' && c <= 'z') || c == '_';
}

/* --- sets of needs --------------------------------------------------------- */

/* What all of them have in common. */
static struct presence
common_part(const struct need *need)
{
	struct presence all = need->any[0];
	size_t i;

	for (i = 1; i < need->count; i++) {
		all.words &= need->any[i].words;
		all.marks &= need->any[i].marks;
	}
	return all;
}

static void
need_collapse(struct need *need)
{
	need->any[0] = common_part(need);
	need->count = 1;
}

/* Is `a` there wherever `b` is? */
static bool
is_part(const struct presence *a, const struct presence *b)
{
	return (a->words & ~b->words) == 0 && (a->marks & ~b->marks) == 0;
}

/* Either of them. What needs more than another that will do is left out. */
static void
need_or_one(struct need *to, struct presence one)
{
	size_t i, kept = 0;

	for (i = 0; i < to->count; i++) {
		if (is_part(&to->any[i], &one))
			return;
	}
	for (i = 0; i < to->count; i++) {
		if (!is_part(&one, &to->any[i]))
			to->any[kept++] = to->any[i];
	}
	to->count = kept;
	if (to->count == NEED_MAX)
		need_collapse(to);
	to->any[to->count++] = one;
}

static void
need_or(struct need *to, const struct need *other)
{
	size_t i;

	for (i = 0; i < other->count; i++)
		need_or_one(to, other->any[i]);
}

/* Both of them. */
static void
need_and(struct need *to, const struct need *other)
{
	struct need made = {.count = 0};
	size_t i, k;

	for (i = 0; i < to->count; i++) {
		for (k = 0; k < other->count; k++)
			need_or_one(&made,
			    (struct presence){
				to->any[i].words | other->any[k].words,
				to->any[i].marks | other->any[k].marks});
	}
	*to = made;
}

static void
need_word(struct need *need, struct text word)
{
	size_t i;

	for (i = 0; i < need->count; i++)
		need->any[i].words |= presence_of_word(text_hash(word));
}

static void
need_mark(struct need *need, char c)
{
	size_t i;

	for (i = 0; i < need->count; i++)
		need->any[i].marks |= presence_of_mark(c);
}

/* --- pieces of a pattern --------------------------------------------------- */

/* A number of {m,n}. */
static size_t
read_digits(struct sifter *s)
{
	size_t number = 0;

	while (peek(s) >= '0' && peek(s) <= '9' && number < 10000)
		number = number * 10 + (size_t)(s->source.at[s->at++] - '0');
	return number;
}

/* What may follow any piece: how often it is there. True: perhaps never. */
static bool
read_quantifier(struct sifter *s, bool *is_quantified_out)
{
	char c = peek(s);
	bool may_lack = c == '?' || c == '*';

	*is_quantified_out = may_lack || c == '+' || c == '{';
	if (!*is_quantified_out)
		return false;
	s->at++;
	if (c == '{') {
		may_lack = read_digits(s) == 0;
		if (take(s, TEXT(",")))
			(void)read_digits(s);
		s->lost |= !take(s, TEXT("}"));
	}
	if (peek(s) == '+' || peek(s) == '?') /* possessive, lazy */
		s->at++;
	return may_lack;
}

/* [ … ], of which only the end matters. */
static void
skip_class(struct sifter *s)
{
	s->at++;
	(void)take(s, TEXT("^"));
	s->lost |= peek(s) == ']';
	while (!s->lost && peek(s) != ']') {
		s->lost |= looking_at(s, TEXT("[:")) ||
			   looking_at(s, TEXT("[.")) ||
			   looking_at(s, TEXT("[="));
		s->at += peek(s) == '\\' ? 2 : 1;
		s->lost |= s->at >= s->source.len;
	}
	s->at++;
}

/* A backslash and what it makes of the letter after it. */
static void
skip_escape(struct sifter *s)
{
	s->at++;
	if (take(s, TEXT("G")))
		return;
	if (take(s, TEXT("x"))) {
		s->at += 2;
		return;
	}
	if (!take(s, TEXT("k<"))) {
		s->lost = true;
		return;
	}
	while (peek(s) != '\0' && peek(s) != '>')
		s->at++;
	s->lost |= !take(s, TEXT(">"));
}

static void
leave_word(struct branch *b)
{
	b->in_word = b->at_boundary = false;
}

/* The token that the word is ends here: it was a whole one. */
static void
end_word(struct sifter *s, struct branch *b)
{
	if (b->in_word)
		need_word(&b->need, (struct text){s->source.at + b->word,
					s->at - b->word});
	b->in_word = false;
}

/* One character that stands for itself; pos is at it. */
static void
read_character(struct sifter *s, struct branch *b, char c, size_t len)
{
	bool begins = b->at_boundary && !b->in_word, is_quantified, may_lack;
	size_t at = s->at;

	s->at += len;
	may_lack = read_quantifier(s, &is_quantified);
	if (strchr(mark_characters, c) != NULL && !may_lack)
		need_mark(&b->need, c);
	if (c == ' ' && !is_quantified) {
		size_t after = s->at;

		s->at = at;
		end_word(s, b);
		s->at = after;
		b->at_boundary = true;
	} else if (is_word_character(c) && !is_quantified &&
	    (begins || b->in_word)) {
		b->word = begins ? at : b->word;
		b->in_word = true;
		b->at_boundary = false;
	} else {
		leave_word(b);
	}
}

/* The part of a group's opening that says what it is. */
enum group_kind {
	GROUP_PLAIN,
	GROUP_CATCHING,
	GROUP_OPAQUE, /* what is in it does not count */
	GROUP_WITH,   /* a look-around that must match, or must not */
	GROUP_WITHOUT
};

static enum group_kind
read_opening(struct sifter *s)
{
	bool catches;

	if (take(s, TEXT("(?=")) || take(s, TEXT("(?<=")))
		return GROUP_WITH;
	if (take(s, TEXT("(?!")) || take(s, TEXT("(?<!")))
		return GROUP_WITHOUT;
	if (take(s, TEXT("(?i:")))
		return GROUP_OPAQUE;
	if (take(s, TEXT("(?:")) || take(s, TEXT("(?>")))
		return GROUP_PLAIN;
	if (!take(s, TEXT("(?<"))) {
		s->lost |= looking_at(s, TEXT("(?")) ||
			   looking_at(s, TEXT("(*"));
		s->at++;
		return GROUP_PLAIN;
	}
	catches = peek(s) != '_';
	while (is_word_character(peek(s)))
		s->at++;
	s->lost |= !take(s, TEXT(">"));
	return catches ? GROUP_CATCHING : GROUP_PLAIN;
}

/* What is in a plain group. When it catches, and matters for that alone, only
 * its alternatives that do. */
static void
read_inside(struct sifter *s, struct branch *b, bool at_boundary,
    struct need *out, bool *catches_out)
{
	size_t start = s->at;

	if (b->only_catching) {
		read_alternatives(s, at_boundary, true, out, catches_out);
		b->is_narrowed |= *catches_out;
		if (*catches_out || s->lost)
			return;
		s->at = start;
	}
	read_alternatives(s, at_boundary, false, out, catches_out);
}

static void
read_group(struct sifter *s, struct branch *b)
{
	enum group_kind kind = read_opening(s);
	bool catches, is_quantified, may_lack;
	struct need inside;

	if (kind == GROUP_PLAIN)
		read_inside(s, b, b->at_boundary, &inside, &catches);
	else
		read_alternatives(s,
		    b->at_boundary && kind == GROUP_CATCHING, false, &inside,
		    &catches);
	catches |= kind == GROUP_CATCHING;
	/* with two that may catch, one narrowed is too narrow */
	s->lost |= catches && b->catches && b->is_narrowed;
	s->lost |= !take(s, TEXT(")"));
	may_lack = read_quantifier(s, &is_quantified);
	b->catches |= catches;
	if (kind != GROUP_OPAQUE && kind != GROUP_WITHOUT && !may_lack)
		need_and(&b->need, &inside);
	if (kind == GROUP_WITH || kind == GROUP_WITHOUT) {
		s->lost |= is_quantified;
		b->in_word = false; /* but a boundary is still one */
		return;
	}
	leave_word(b);
}

static void
read_piece(struct sifter *s, struct branch *b)
{
	char c = peek(s), next = '\0';
	bool is_quantified;

	if (s->at + 1 < s->source.len)
		next = s->source.at[s->at + 1];
	if (take(s, TEXT(TOKEN_BEGINS)) || take(s, TEXT("^"))) {
		b->in_word = false;
		b->at_boundary = true;
	} else if (looking_at(s, TEXT(TOKEN_ENDS)) || c == '$') {
		end_word(s, b);
		s->at += c == '$' ? 1 : strlen(TOKEN_ENDS);
		b->at_boundary = false;
	} else if (c == '(') {
		read_group(s, b);
	} else if (c == '[') {
		skip_class(s);
		(void)read_quantifier(s, &is_quantified);
		leave_word(b);
	} else if (c == '\\' && next != '\0' &&
	    strchr(mark_characters, next) != NULL) {
		s->at++;
		read_character(s, b, next, 1);
	} else if (c == '\\') {
		skip_escape(s);
		(void)read_quantifier(s, &is_quantified);
		leave_word(b);
	} else if (c == '.') {
		s->at++;
		(void)read_quantifier(s, &is_quantified);
		leave_word(b);
	} else {
		s->lost |= strchr("?*+{", c) != NULL;
		read_character(s, b, c, 1);
	}
}

/* Up to the `)` or the end. */
static void
read_alternatives(struct sifter *s, bool at_boundary, bool only_catching,
    struct need *out, bool *catches_out)
{
	bool goes_on = true;

	*catches_out = false;
	out->count = 0;
	s->lost |= s->depth++ == DEPTH_MAX;
	while (goes_on && !s->lost) {
		struct branch b = {.need = need_nothing,
		    .at_boundary = at_boundary,
		    .only_catching = only_catching};

		while (!s->lost && s->at < s->source.len && peek(s) != '|' &&
		    peek(s) != ')')
			read_piece(s, &b);
		if (b.catches || !only_catching)
			need_or(out, &b.need);
		*catches_out |= b.catches;
		goes_on = take(s, TEXT("|"));
	}
	s->depth--;
	if (s->lost)
		*out = need_nothing;
}

void
need_of(struct text source, bool catches, struct need *out)
{
	struct sifter s = {.source = source};
	bool any;

	s.lost = source.len == 0 ||
		 memchr(source.at, '\0', source.len) != NULL;
	read_alternatives(&s, false, catches, out, &any);
	if (s.lost || s.at < source.len || out->count == 0)
		*out = need_nothing;
}

/* --- how a match begins ---------------------------------------------------- */

static void
skip_arounds(struct sifter *s)
{
	struct need need;
	bool catches;

	while (!s->lost &&
	    (looking_at(s, TEXT("(?=")) || looking_at(s, TEXT("(?!")) ||
		looking_at(s, TEXT("(?<=")) || looking_at(s, TEXT("(?<!")))) {
		(void)read_opening(s);
		read_alternatives(s, false, false, &need, &catches);
		s->lost |= !take(s, TEXT(")"));
	}
}

struct first_words {
	struct text *at;
	size_t count;
};

/* The word that an alternative begins with, and past the rest of it. */
static void
read_first_word(struct sifter *s, struct first_words *words)
{
	struct branch rest = {.need = need_nothing};
	size_t start = s->at;

	while (is_word_character(peek(s)))
		s->at++;
	s->lost |= s->at == start || words->count == FIRST_WORDS_MAX;
	if (s->lost)
		return;
	words->at[words->count++] =
	    (struct text){s->source.at + start, s->at - start};
	if (peek(s) != ' ') { /* it is all there is */
		skip_arounds(s);
		s->lost |= peek(s) != '|' && peek(s) != ')';
	}
	while (!s->lost && s->at < s->source.len && peek(s) != '|' &&
	    peek(s) != ')')
		read_piece(s, &rest);
}

/* After `(?:`: up to and with the `)`. */
static void
read_first_words(struct sifter *s, struct first_words *words, size_t depth)
{
	s->lost |= depth == FIRST_DEPTH_MAX;
	do {
		if (s->lost)
			return;
		skip_arounds(s);
		if (take(s, TEXT("(?:"))) {
			read_first_words(s, words, depth + 1);
			s->lost |= peek(s) != '|' && peek(s) != ')';
		} else {
			read_first_word(s, words);
		}
	} while (take(s, TEXT("|")));
	s->lost |= !take(s, TEXT(")"));
}

size_t
need_first_words(struct text source, struct text words[FIRST_WORDS_MAX])
{
	struct sifter s = {.source = source};
	struct first_words found = {.at = words};

	s.lost = source.len == 0 || !take(&s, TEXT(TOKEN_BEGINS));
	skip_arounds(&s);
	s.lost |= !take(&s, TEXT("(?:"));
	read_first_words(&s, &found, 0);
	if (!take(&s, TEXT(TOKEN_ENDS)) || s.lost || s.at < source.len)
		return 0;
	return found.count;
}
