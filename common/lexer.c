/*
 * lexer.c - PostgreSQL's scanner, rule for rule: blanks, comments, words,
 * operators.  Numbers and strings are in files of their own (lexer_scan.h).
 *
 * The one rule: what the server would refuse we refuse; and so we do what
 * servers of different versions read in different ways (1_000, 0x1F, 1abc, a
 * vertical tab) until the version is known.  It trusts nothing but the length
 * it is given.
 */
#include "common/lexer_scan.h"

enum {
	TOKENS_MAX = 1000000,
	ROOM_FIRST = 1024,  /* tokens; a long text is often one long string */
	ESTIMATE_MIN = 2048, /* tokens that tell of those to come */
};

enum {
	BLANK = 1,
	NAME_START = 2,
	NAME_MORE = 4, /* a name goes on with it */
	DIGIT = 8,
	OPERATOR = 16,
	SELF = 32, /* a token by itself */
	OPERATOR_OWN = 64 /* in no operator of SQL's own */
};

static const unsigned char classes[256] = {
    [' '] = BLANK, ['\t'] = BLANK, ['\n'] = BLANK, ['\r'] = BLANK,
    ['\f'] = BLANK,
    ['A' ... 'Z'] = NAME_START | NAME_MORE,
    ['a' ... 'z'] = NAME_START | NAME_MORE,
    ['_'] = NAME_START | NAME_MORE,
    [0x80 ... 0xff] = NAME_START | NAME_MORE,
    ['0' ... '9'] = DIGIT | NAME_MORE,
    ['$'] = NAME_MORE,
    ['~'] = OPERATOR | OPERATOR_OWN, ['!'] = OPERATOR | OPERATOR_OWN,
    ['@'] = OPERATOR | OPERATOR_OWN, ['#'] = OPERATOR | OPERATOR_OWN,
    ['^'] = OPERATOR | OPERATOR_OWN, ['&'] = OPERATOR | OPERATOR_OWN,
    ['|'] = OPERATOR | OPERATOR_OWN, ['`'] = OPERATOR | OPERATOR_OWN,
    ['?'] = OPERATOR | OPERATOR_OWN, ['%'] = OPERATOR | OPERATOR_OWN,
    ['+'] = OPERATOR, ['-'] = OPERATOR, ['*'] = OPERATOR, ['/'] = OPERATOR,
    ['<'] = OPERATOR, ['>'] = OPERATOR, ['='] = OPERATOR,
    ['('] = SELF, [')'] = SELF, ['['] = SELF, [']'] = SELF, [','] = SELF,
    [';'] = SELF, ['.'] = SELF, [':'] = SELF,
};

bool
scan_starts_name(unsigned char c)
{
	return classes[c] & NAME_START;
}

bool
scan_continues_name(unsigned char c)
{
	return classes[c] & NAME_MORE;
}

enum err
scan_refuse(struct scanner *s, size_t at, const char *why)
{
	s->lexed->error = why;
	s->lexed->error_at = at;
	return ERR_MALFORMED;
}

enum err
scan_fail(struct scanner *s, size_t at, const char *why)
{
	s->lexed->fault = FAULT_FOR_SERVER;
	return scan_refuse(s, at, why);
}

enum err
scan_fail_here(struct scanner *s, size_t at, const char *why)
{
	return s->version == 0 ? scan_refuse(s, at, why)
			       : scan_fail(s, at, why);
}

struct text
scan_cut_name(const struct scanner *s, struct text name)
{
	size_t len = LEXER_NAME_MAX;

	if (name.len <= LEXER_NAME_MAX)
		return name;
	/* never in the middle of a character */
	while (s->state->is_utf8 && len > 0 &&
	    ((unsigned char)name.at[len] & 0xc0) == 0x80)
		len--;
	return (struct text){name.at, len};
}

/* A comment with `=` may carry a claim such as traceparent='...'. */
static void
scan_note_comment(struct scanner *s, size_t start)
{
	struct text comment = {s->sql.at + start, s->pos - start};

	if (memchr(comment.at, '=', comment.len) != NULL)
		s->lexed->trace_comment = comment;
}

static void
scan_line_comment(struct scanner *s)
{
	size_t start = s->pos;

	while (s->pos < s->sql.len && s->sql.at[s->pos] != '\n' &&
	    s->sql.at[s->pos] != '\r')
		s->pos++;
	scan_note_comment(s, start);
}

static enum err
scan_block_comment(struct scanner *s)
{
	size_t start = s->pos, depth = 0;

	do {
		if (s->pos == s->sql.len)
			return scan_fail(s, start, "unterminated comment");
		if (scan_peek(s, 0) == '/' && scan_peek(s, 1) == '*') {
			depth++;
			s->pos += 2;
		} else if (scan_peek(s, 0) == '*' && scan_peek(s, 1) == '/') {
			depth--;
			s->pos += 2;
		} else {
			s->pos++;
		}
	} while (depth > 0);
	scan_note_comment(s, start);
	return ERR_NONE;
}

bool
scan_is_blank(const struct scanner *s, unsigned char c)
{
	return (classes[c] & BLANK) != 0 ||
	       (c == '\v' && s->version >= VERTICAL_TAB_VERSION);
}

enum err
scan_skip_blanks(struct scanner *s)
{
	enum err e = ERR_NONE;

	while (e == ERR_NONE && s->pos < s->sql.len) {
		unsigned char c = (unsigned char)s->sql.at[s->pos];

		if (scan_is_blank(s, c))
			s->pos++;
		else if (c == '-' && scan_peek(s, 1) == '-')
			scan_line_comment(s);
		else if (c == '/' && scan_peek(s, 1) == '*')
			e = scan_block_comment(s);
		else
			break;
	}
	return e;
}

/* The text borrowed where it is lower-case already, else a folded copy. */
static enum err
scan_fold(struct scanner *s, struct token *t)
{
	struct text name = scan_cut_name(s, t->raw);
	char *folded;
	size_t i;

	for (i = 0; i < name.len; i++) {
		if (name.at[i] >= 'A' && name.at[i] <= 'Z')
			break;
	}
	t->name = name;
	if (i == name.len)
		return ERR_NONE;
	folded = arena_copy(s->arena, name.at, name.len);
	if (folded == NULL)
		return ERR_MEMORY;
	for (; i < name.len; i++) {
		if (folded[i] >= 'A' && folded[i] <= 'Z')
			folded[i] = (char)(folded[i] + ('a' - 'A'));
	}
	t->name.at = folded;
	return ERR_NONE;
}

static bool
is_sure_name(const struct scanner *s)
{
	return s->state->is_utf8 && !s->state->doubts_names;
}

static enum err
refuse_unsure_name(struct scanner *s, size_t at)
{
	return scan_refuse(s, at,
	    s->state->is_utf8
		? "a name beyond ASCII cannot be read surely with this "
		  "client_encoding and this database's encoding"
		: "a name beyond ASCII needs client_encoding UTF8");
}

enum err
scan_check_name(struct scanner *s, size_t at, struct text name)
{
	if (text_is_ascii(name))
		return ERR_NONE;
	if (!is_sure_name(s))
		return refuse_unsure_name(s, at);
	/* where it is cut is for the server's encoding to say */
	if (s->state->is_foreign_server && name.len > LEXER_NAME_MAX / 2)
		return scan_refuse(s, at,
		    "a name too long for a database that is not in UTF8");
	return ERR_NONE;
}

static enum err
scan_word(struct scanner *s, struct token *t)
{
	size_t start = s->pos, end = start;
	unsigned char all = 0, c;

	for (; end < s->sql.len; end++) {
		c = (unsigned char)s->sql.at[end];
		if (!(classes[c] & NAME_MORE))
			break;
		all |= c;
	}
	s->pos = end;
	/* A single-byte encoding folds its own letters in its own way, and
	 * catalogue names are UTF-8: such a name could be any. */
	if (all & 0x80 && !is_sure_name(s))
		return refuse_unsure_name(s, start);
	if (all & 0x80 && s->state->is_foreign_server)
		return scan_refuse(s, start,
		    "a name beyond ASCII needs quotes, as the database is not "
		    "in UTF8");
	t->kind = TOKEN_WORD;
	t->raw = (struct text){s->sql.at + start, s->pos - start};
	return scan_fold(s, t);
}

/* Where a comment begins inside a run of operator characters, or its end. */
static size_t
operator_run(const char *at, size_t len)
{
	size_t i;

	for (i = 0; i + 1 < len; i++) {
		if ((at[i] == '/' && at[i + 1] == '*') ||
		    (at[i] == '-' && at[i + 1] == '-'))
			return i;
	}
	return len;
}

/* `a=-1` is a, =, -1: a trailing + or - is no part of an operator unless it
 * has a character that SQL's own operators never have. */
static size_t
operator_trim(const char *at, size_t len)
{
	size_t i;

	for (i = 0; i + 1 < len; i++) {
		if (classes[(unsigned char)at[i]] & OPERATOR_OWN)
			return len;
	}
	while (len > 1 && (at[len - 1] == '+' || at[len - 1] == '-'))
		len--;
	return len;
}

static enum err
scan_operator(struct scanner *s, struct token *t)
{
	const char *at = s->sql.at + s->pos;
	size_t len = 0;

	while (classes[scan_peek(s, len)] & OPERATOR)
		len++;
	len = operator_trim(at, operator_run(at, len));
	if (len > LEXER_NAME_MAX)
		return scan_fail(s, s->pos, "operator too long");
	t->kind = TOKEN_OPERATOR;
	s->pos += len;
	return ERR_NONE;
}

/* :: := .. are two characters; the others are themselves. */
static enum err
scan_punctuation(struct scanner *s, struct token *t)
{
	unsigned char c = scan_peek(s, 0), next = scan_peek(s, 1);
	bool is_pair = (c == ':' && (next == ':' || next == '=')) ||
	    (c == '.' && next == '.');

	t->kind = is_pair ? TOKEN_OPERATOR : TOKEN_PUNCTUATION;
	s->pos += is_pair ? 2 : 1;
	return ERR_NONE;
}

static enum err
scan_dollar(struct scanner *s, struct token *t)
{
	if (classes[scan_peek(s, 1)] & DIGIT)
		return scan_parameter(s, t);
	return scan_dollar_string(s, t);
}

static enum err
scan_token(struct scanner *s, struct token *t)
{
	unsigned char c = scan_peek(s, 0), next = scan_peek(s, 1);
	bool is_number = classes[c] & DIGIT ||
	    (c == '.' && classes[next] & DIGIT);

	/* most tokens are no E'', U&"" and the like */
	if (!(classes[c] & NAME_START) || next == '\'' || next == '&') {
		if (scan_at_string(s))
			return scan_string(s, t);
		if (scan_at_quoted_name(s))
			return scan_quoted_name(s, t);
	}
	if (classes[c] & NAME_START)
		return scan_word(s, t);
	if (is_number)
		return scan_number(s, t);
	if (c == '$')
		return scan_dollar(s, t);
	if (classes[c] & OPERATOR)
		return scan_operator(s, t);
	if (classes[c] & SELF)
		return scan_punctuation(s, t);
	if (c == '\v')
		return scan_fail_here(s, s->pos, "a vertical tab");
	return scan_fail(s, s->pos, "a character SQL has no use for");
}

enum err
scan_next(struct scanner *s, struct token *t)
{
	size_t start = s->pos;
	enum err e = scan_token(s, t);

	t->raw = (struct text){s->sql.at + start, s->pos - start};
	if (t->name.at == NULL)
		t->name = t->raw;
	return e;
}

/* Room for the tokens to come. What was outgrown stays in the arena until the
 * statement is over, so a long text is estimated by what it had so far. */
static size_t
scan_room(const struct scanner *s)
{
	size_t had = s->lexed->count, room;

	if (s->room == 0)
		return s->sql.len / 4 + 8 < ROOM_FIRST ? s->sql.len / 4 + 8
						       : ROOM_FIRST;
	if (had < ESTIMATE_MIN)
		return s->room * 2;
	room = (size_t)((double)had * (double)s->sql.len / (double)s->pos);
	room += room / 8;
	if (room < had + had / 2)
		room = had + had / 2;
	if (room > had * 16)
		room = had * 16;
	return room < TOKENS_MAX ? room : TOKENS_MAX;
}

static enum err
scan_grow(struct scanner *s)
{
	struct lexed *l = s->lexed;
	size_t room = scan_room(s);
	struct token *tokens;

	if (l->count >= TOKENS_MAX) {
		l->error = "too many tokens";
		l->error_at = s->pos;
		return ERR_TOO_LONG;
	}
	tokens = arena_array(s->arena, room, sizeof(*tokens));
	if (tokens == NULL)
		return ERR_MEMORY;
	if (l->count > 0)
		memcpy(tokens, l->tokens, l->count * sizeof(*tokens));
	l->tokens = tokens;
	s->room = room;
	return ERR_NONE;
}

static enum err
scan_all(struct scanner *s)
{
	enum err e = scan_skip_blanks(s);

	while (e == ERR_NONE && s->pos < s->sql.len) {
		struct token *t;

		if (s->lexed->count == s->room ||
		    s->lexed->count >= TOKENS_MAX)
			e = scan_grow(s);
		if (e != ERR_NONE)
			break;
		t = &s->lexed->tokens[s->lexed->count];
		e = scan_next(s, t);
		if (e == ERR_NONE && scan_is_unicode(t))
			e = scan_finish_unicode(s, t);
		if (e != ERR_NONE)
			break;
		s->lexed->count++;
		e = scan_skip_blanks(s);
	}
	return e;
}

enum err
lexer_run(const struct lex_state *state, struct text sql, struct arena *a,
    struct lexed *out)
{
	bool is_known = state->version >= LEXER_VERSION_FIRST &&
			state->version <= LEXER_VERSION_LAST;
	struct scanner s = {.state = state,
	    .version = is_known ? state->version : 0,
	    .sql = sql,
	    .arena = a,
	    .lexed = out};
	const char *nul;

	*out = (struct lexed){0};
	if (state->dialect != DIALECT_POSTGRES) {
		out->error = "no lexer for this dialect";
		return ERR_UNSUPPORTED;
	}
	if (sql.len == 0)
		return ERR_NONE;
	nul = memchr(sql.at, 0, sql.len);
	if (nul != NULL)
		return scan_refuse(&s, (size_t)(nul - sql.at), "a NUL byte");
	if (state->is_utf8 && !text_is_utf8(sql))
		return scan_fail(&s, 0, "invalid UTF-8");
	return scan_all(&s);
}
