/*
 * builtin.c - what holds whatever the policy says.
 *
 * Policy decides what an identity may do.  These few rules keep Sallyport
 * itself true: its own settings, the settings its lexer depends on, and that
 * protected values are not copied to where they would be unprotected.
 */
#include "worker/builtin.h"

/* Operations after which everything decided about later statements still
 * stands. */
static const uint64_t plain_operations = BIT(OP_SELECT) | BIT(OP_SHOW) |
    BIT(OP_INSERT) | BIT(OP_UPDATE) | BIT(OP_DELETE) | BIT(OP_MERGE) |
    BIT(OP_BEGIN) | BIT(OP_SAVEPOINT) | BIT(OP_RELEASE) | BIT(OP_LOCK) |
    BIT(OP_COMMIT);

/* Operations that put data somewhere it can be read from again. */
static const uint64_t storing_operations = BIT(OP_INSERT) | BIT(OP_UPDATE) |
    BIT(OP_MERGE) | BIT(OP_CREATE) | BIT(OP_ALTER) | BIT(OP_REFRESH) |
    BIT(OP_COPY_FILE) | BIT(OP_COPY_PROGRAM) | BIT(OP_COPY_IN) |
    BIT(OP_NOTIFY) | BIT(OP_DO) | BIT(OP_CALL) | BIT(OP_COMMENT) |
    BIT(OP_SECURITY_LABEL);

static const uint64_t hidden_code =
    BIT(TRAIT_OPAQUE_FUNCTION) | BIT(TRAIT_UNKNOWN_FUNCTION);

bool
builtin_is_plain(const struct statement *s)
{
	return (s->operations & ~plain_operations) == 0 &&
	    (s->traits & hidden_code) == 0;
}

bool
builtin_may_carry(
    const struct gate *g, const struct statement *s, const struct touch *t)
{
	const uint64_t fetching = BIT(OP_FETCH) | BIT(OP_EXECUTE) |
	    BIT(OP_CALL) | BIT(OP_DO) | BIT(OP_FUNCTION_CALL) |
	    BIT(OP_UNKNOWN) | BIT(OP_MOVE);

	if (protection_is_empty(g->protection))
		return false;
	return t->mentions || t->is_unknown ||
	    (s->traits & hidden_code) != 0 ||
	    ((s->operations & fetching) != 0 && g->carries_later);
}

/* The next space-separated token of canonical text. */
static struct text
next_token(struct text *rest)
{
	const char *space = rest->len == 0
	    ? NULL : memchr(rest->at, ' ', rest->len);
	struct text token = *rest;

	if (space == NULL) {
		*rest = (struct text){"", 0};
		return token;
	}
	token.len = (size_t)(space - rest->at);
	rest->at += token.len + 1;
	rest->len -= token.len + 1;
	return token;
}

static bool
is_protected_name(const struct touch *t, struct text token)
{
	size_t i;

	if (token.len >= 2 && token.at[0] == '"')
		token.at++, token.len -= 2;
	for (i = 0; i < t->column_count; i++) {
		if (text_is(t->columns[i], token))
			return true;
	}
	return false;
}

/* Is a protected column used other than as the target of an assignment or in
 * `column = …`? RETURNING is an output, which is masked. In an INSERT only
 * what ON CONFLICT does can use a column at all. */
static bool
uses_protected_value(const struct statement *s, const struct touch *t)
{
	struct text rest = s->canonical, token, after;
	bool counts = (s->operations & BIT(OP_INSERT)) == 0;

	while (rest.len > 0) {
		token = next_token(&rest);
		if (text_is(token, TEXT("returning")))
			return false;
		if (text_is(token, TEXT("conflict")))
			counts = true;
		if (!counts || !is_protected_name(t, token))
			continue;
		after = rest;
		if (!text_is(next_token(&after), TEXT("=")))
			return true;
	}
	return false;
}

static bool
copies_protected(const struct statement *s, const struct touch *t)
{
	if (!t->mentions || (s->operations & storing_operations) == 0)
		return false;
	if ((s->operations & BIT(OP_SELECT)) != 0 ||
	    (s->operations & storing_operations &
		~(BIT(OP_INSERT) | BIT(OP_UPDATE))) != 0 ||
	    (s->traits & (BIT(TRAIT_WHOLE_ROW))) != 0)
		return true;
	return uses_protected_value(s, t);
}

void
builtin_traits(struct statement *s, const struct touch *t)
{
	if (t->is_protected)
		s->traits |= BIT(TRAIT_PROTECTED);
	if (copies_protected(s, t))
		s->traits |= BIT(TRAIT_COPIES_PROTECTED);
}

/* Settings that are Sallyport's, or that its reading of SQL depends on. */
static const struct {
	struct text setting;
	struct text allowed; /* the one value it may be set to; len 0: none */
	const char *reason;
} guarded[] = {
    {{"application_name", 16}, {NULL, 0},
	"application_name shows the proved identity and is not the client's "
	"to set"},
    {{"standard_conforming_strings", 27}, {"on", 2},
	"standard_conforming_strings must stay on"},
    {{"client_encoding", 15}, {"utf8", 4},
	"client_encoding must stay UTF8 in this version"},
};

static bool
is_same_value(struct text a, struct text b)
{
	/* utf8, UTF-8 and 'unicode' are spelled in many ways; accept two */
	return text_is_folded(a, b) ||
	    (text_is(b, TEXT("utf8")) && text_is_folded(a, TEXT("utf-8")));
}

static struct text
refuse_setting(const struct statement *s)
{
	size_t i;

	if (text_starts(s->subject, TEXT("sallyport.")))
		return TEXT("settings of sallyport.* are not the client's");
	for (i = 0; i < sizeof(guarded) / sizeof(guarded[0]); i++) {
		if (!text_is_folded(s->subject, guarded[i].setting))
			continue;
		if ((s->operations & BIT(OP_SET)) == 0 ||
		    (guarded[i].allowed.len > 0 &&
			is_same_value(s->value, guarded[i].allowed)))
			continue;
		return text_of(guarded[i].reason);
	}
	return (struct text){NULL, 0};
}

struct text
builtin_refusal(
    const struct statement *s, const struct touch *t, struct arena *a)
{
	struct text refusal = {NULL, 0};
	const char *text;

	if ((s->operations & (BIT(OP_SET) | BIT(OP_RESET) | BIT(OP_ALTER) |
				 BIT(OP_SET_ROLE))) != 0)
		refusal = refuse_setting(s);
	if (refusal.len > 0)
		return refusal;
	if ((s->operations & BIT(OP_ALTER_SYSTEM)) == 0 &&
	    statement_mentions(s, TEXT("set_config")))
		return TEXT("set_config() is refused; use SET");
	if ((s->traits & BIT(TRAIT_COPIES_PROTECTED)) != 0) {
		text = arena_printf(a,
		    "would copy protected values of %.*s to where they are "
		    "not protected",
		    t->relation == NULL ? 10 : (int)t->relation->name.len,
		    t->relation == NULL ? "a relation"
					: t->relation->name.at);
		return text_of(text == NULL ? "copies protected values" : text);
	}
	return refusal;
}
