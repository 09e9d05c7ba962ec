/*
 * own_settings.c - settings that are Sallyport's, or that it must follow.
 *
 * The rule: sallyport.* is never a client's to set, in any spelling.  Code
 * that computes a setting's name when it runs cannot be seen through: what
 * makes or runs such code is an escaping function (builtin.c), for rules that
 * name these.
 *
 * Of the server's settings, these decide how a text is read, whose rights
 * hold, or what a value looks like:
 *
 *   standard_conforming_strings, client_encoding
 *                                followed, as ParameterStatus tells them;
 *                                what hangs on one that may have changed
 *                                unseen is refused until it is told
 *   application_name             shows the database who it is, unless the
 *                                upstream's settings leave it to clients: a
 *                                SET is taken as a claim, other ways refused
 *   sallyport.*                  refused
 *   client_connection_check_interval
 *                                set by the worker, so that what a client has
 *                                left behind ends: refused
 *   search_path                  needs no following: a name is taken for the
 *                                relations of that name in every schema, an
 *                                unqualified function for any of that name
 *   role, session_authorization  operation set-role; protection hangs on who
 *                                is logged in at Sallyport, not on the role
 *   backslash_quote, escape_string_warning
 *                                what the server then refuses or warns of is
 *                                read the same
 *   quote_all_identifiers, xmloption, transform_null_equals,
 *   array_nulls, default_* and the planner's
 *                                change no token and no origin of a column
 *   bytea_output, DateStyle, IntervalStyle, TimeZone, extra_float_digits,
 *   lc_monetary, lc_numeric, lc_time, xmlbinary
 *                                change what values look like: masks take
 *                                every look, or give NULL
 *   lc_messages, client_min_messages
 *                                words and number of complaints; these are
 *                                scrubbed by their fields, not their words
 *   session_replication_role, row_security and all others
 *                                ordinary settings, for rules to allow
 *
 * The masked view is the same under all of them: columns have their origin.
 */
#include <ctype.h>

#include "worker/own_settings.h"

enum setting_care {
	CARE_NONE,
	CARE_OWN,
	CARE_SHOWS_IDENTITY,
	CARE_ROLE,
	CARE_ENDS_STATEMENTS,
};

static const struct {
	struct text name;
	enum setting_care care;
} cared[] = {
    {{"application_name", 16}, CARE_SHOWS_IDENTITY},
    {{"role", 4}, CARE_ROLE},
    {{"session_authorization", 21}, CARE_ROLE},
    {{"client_connection_check_interval", 32}, CARE_ENDS_STATEMENTS},
};

static bool
starts_folded(struct text whole, struct text start)
{
	return whole.len >= start.len &&
	       text_is_folded((struct text){whole.at, start.len}, start);
}

static enum setting_care
care_of(struct text name)
{
	size_t i;

	if (starts_folded(name, TEXT("sallyport")))
		return CARE_OWN;
	for (i = 0; i < sizeof(cared) / sizeof(cared[0]); i++) {
		if (text_is_folded(name, cared[i].name))
			return cared[i].care;
	}
	return CARE_NONE;
}

/* Is the database shown who it is, and not what the client says? */
static bool
shows_identity(const struct gate *g)
{
	return g->upstream->application_name == NAME_IDENTITY;
}

static struct text
refuse_care(const struct gate *g, enum setting_care care)
{
	switch (care) {
	case CARE_OWN:
		return TEXT("settings of sallyport.* are not the client's");
	case CARE_SHOWS_IDENTITY:
		if (shows_identity(g))
			return TEXT("application_name shows the proved "
				    "identity and is not the client's to set");
		break;
	case CARE_ENDS_STATEMENTS:
		return TEXT("client_connection_check_interval is not the "
			    "client's to set: statements end with it");
	default:
		break;
	}
	return (struct text){NULL, 0};
}

/* --- set_config() --------------------------------------------------------- */

static bool
is_set_config(const struct token *t)
{
	return token_is_name(t) && text_is(t->name, TEXT("set_config"));
}

/* What the i-th token, `set_config`, sets. False: it cannot be told. */
static bool
set_config_name(const struct lexed *l, size_t i, struct text *out)
{
	const struct token *t = &l->tokens[i];

	if (l->count - i < 4 || !token_is_mark(&t[1], '(') ||
	    t[2].kind != TOKEN_STRING || !token_is_mark(&t[3], ','))
		return false;
	*out = t[2].name;
	return true;
}

struct config_calls { /* those of one statement */
	bool is_sure;	  /* all of them name what they set */
	bool sets_role;
	struct text refusal;
};

/* How pg_dump sets what servers of its time may not have. Its WHERE makes
 * the setting's name a constant, whatever relation is meant. */
static const struct text guarded_form =
    TEXT("select set_config ( name , '?' , false ) from pg_settings "
	 "where name = '?'");

static bool
is_guarded(const struct statement *s)
{
	const struct token *last;

	if (!text_is(s->canonical, guarded_form) || s->token_count == 0)
		return false;
	last = &s->tokens[s->token_count - 1];
	return last->kind == TOKEN_STRING &&
	       text_is(last->name, TEXT("restrict_nonsystem_relation_kind"));
}

static void
read_calls(struct gate *g, const struct statement *s, struct arena *a,
    struct config_calls *out)
{
	struct lex_state lex = g->lex;
	struct text name, refusal;
	struct lexed l;
	size_t i;

	*out = (struct config_calls){.is_sure = true};
	if (is_guarded(s))
		return;
	lex.is_utf8 = text_is_utf8(s->raw);
	out->is_sure = lexer_run(&lex, s->raw, a, &l) == ERR_NONE;
	for (i = 0; out->is_sure && i < l.count; i++) {
		if (!is_set_config(&l.tokens[i]))
			continue;
		out->is_sure = set_config_name(&l, i, &name);
		if (!out->is_sure)
			break;
		out->sets_role |= care_of(name) == CARE_ROLE;
		refusal = refuse_care(g, care_of(name));
		if (refusal.len > 0)
			out->refusal = refusal;
	}
	if (!out->is_sure)
		out->refusal = TEXT("set_config() is refused unless it names "
				    "its setting in a constant");
}

/* Cut `start` off, if that is how it begins. */
static bool
skip(struct text *rest, struct text start)
{
	if (!text_starts(*rest, start))
		return false;
	rest->at += start.len, rest->len -= start.len;
	return true;
}

/* The form in which clients' libraries make sure of their search_path, and
 * pgAdmin of bytea_output: it is a SET, spelt as a SELECT, and reaches no
 * further. Without its schema it could be somebody else's set_config, unless
 * the catalogue knows that there is none. */
static bool
is_plain_set_config(const struct statement *s, const struct touch *t)
{
	bool is_sure = t->is_code_known && !t->runs_code;
	struct text rest = s->canonical;

	if (is_sure && is_guarded(s))
		return true;
	if (!skip(&rest, TEXT("select ")) ||
	    !(skip(&rest, TEXT("pg_catalog . ")) || is_sure) ||
	    !skip(&rest, TEXT("set_config ( '?' , '?' , ")) ||
	    !(skip(&rest, TEXT("false )")) || skip(&rest, TEXT("true )"))))
		return false;
	return rest.len == 0 ||
	       text_is(rest,
		   TEXT(" from pg_catalog . pg_settings where name = '?'"));
}

void
own_settings_note(struct gate *g, struct statement *s, const struct touch *t,
    struct arena *a)
{
	struct config_calls calls;

	if (!statement_mentions(s, TEXT("set_config")))
		return;
	read_calls(g, s, a, &calls);
	s->operations |= BIT(OP_SET);
	if (calls.sets_role)
		s->operations |= BIT(OP_SET_ROLE);
	if (!calls.is_sure || t->is_code_escaping || !is_plain_set_config(s, t))
		return;
	s->traits &=
	    ~(BIT(TRAIT_ESCAPING_FUNCTION) | BIT(TRAIT_OPAQUE_FUNCTION));
	s->function = TEXT("");
}

/* --- SET, in whatever it is part of --------------------------------------- */

/* The word before `at`, blanks and quotes left out. */
static struct text
word_before(struct text t, size_t at)
{
	size_t end;

	while (at > 0 && (isspace((unsigned char)t.at[at - 1]) ||
			     t.at[at - 1] == '"' || t.at[at - 1] == '\''))
		at--;
	for (end = at; at > 0 && isalpha((unsigned char)t.at[at - 1]); at--)
		;
	return (struct text){t.at + at, end - at};
}

/* Does it SET or RESET one of ours, by itself, for a role, a database, a
 * function, or in the body of one? */
static bool
sets_own(struct text t)
{
	static const struct text words[] = {
	    {"set", 3}, {"local", 5}, {"session", 7}, {"reset", 5}};
	static const struct text own = TEXT("sallyport");
	struct text word;
	size_t at, i;

	for (at = 0; at + own.len <= t.len; at++) {
		if (!text_is_folded((struct text){t.at + at, own.len}, own))
			continue;
		word = word_before(t, at);
		for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
			if (text_is_folded(word, words[i]))
				return true;
		}
	}
	return false;
}

/* The view through which settings can be written like a table; and a view of
 * it, or a rule, through which it can. */
static bool
writes_settings(const struct statement *s)
{
	bool makes_way = (s->operations & BIT(OP_CREATE)) != 0 &&
			 (statement_mentions(s, TEXT("view")) ||
			     statement_mentions(s, TEXT("rule")));
	size_t i;

	for (i = 0; i < s->relation_count; i++) {
		if ((s->relations[i].is_written || makes_way) &&
		    text_is(s->relations[i].name, TEXT("pg_settings")))
			return true;
	}
	return false;
}

bool
own_settings_is_claim(const struct gate *g, const struct statement *s)
{
	static const struct text forms[] = {
	    {"set application_name ", 21},
	    {"set session application_name ", 29},
	    {"set local application_name ", 27}};
	size_t i;

	if (s->operations != BIT(OP_SET) || !shows_identity(g))
		return false;
	for (i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		if (text_starts(s->canonical, forms[i]))
			return true;
	}
	return false;
}

static struct text
refuse_set(struct gate *g, const struct statement *s)
{
	const uint64_t setting = BIT(OP_SET) | BIT(OP_RESET) | BIT(OP_ALTER) |
				 BIT(OP_SET_ROLE) | BIT(OP_CREATE) |
				 BIT(OP_DO) | BIT(OP_ROLE) |
				 BIT(OP_ALTER_SYSTEM) | BIT(OP_UNKNOWN);
	enum setting_care care = care_of(s->subject);

	if ((s->operations & setting) == 0)
		return (struct text){NULL, 0};
	if (sets_own(s->canonical) || sets_own(s->raw))
		return refuse_care(g, CARE_OWN);
	if ((s->operations & BIT(OP_SET)) == 0 && care != CARE_OWN)
		return (struct text){NULL, 0};
	if (own_settings_is_claim(g, s))
		return (struct text){NULL, 0};
	return refuse_care(g, care);
}

struct text
own_settings_refusal(
    struct gate *g, const struct statement *s, struct arena *a)
{
	struct config_calls calls = {.is_sure = true};
	struct text refusal = refuse_set(g, s);

	if (refusal.len > 0)
		return refusal;
	if (writes_settings(s))
		return TEXT("pg_settings is not written to, nor is a view "
			    "or a rule made for that; use SET");
	if ((s->operations & BIT(OP_ALTER_SYSTEM)) == 0 &&
	    statement_mentions(s, TEXT("set_config")))
		read_calls(g, s, a, &calls);
	return calls.refusal;
}
