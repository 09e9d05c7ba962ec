/*
 * classify.h - what a statement can do, read off its canonical text.
 *
 * Two texts are made of the tokens of one statement:
 *  - canonical text, for people, fingerprints and a policy's `matches`: one
 *    space between tokens, comments gone, names folded, literals replaced
 *    (strings '?', numbers ?), quoted names kept in quotes when they are
 *    keywords or would not read back as the same name unquoted;
 *  - flat text, for the class rules: canonical text with each parenthesised
 *    group lifted out into a line of its own, so that every nesting level is
 *    one line and a rule never has to count parentheses.
 * PCRE2 rules (policies/classes/<dialect>.yaml) over the flat text give
 * operations, relations and traits.  It errs on the strict side.
 */
#ifndef SALLYPORT_CLASSIFY_H
#define SALLYPORT_CLASSIFY_H

#include "common/lexer.h"
#include "common/vocab.h"

enum {
	CLASSIFY_RELATIONS_MAX = 1000, /* more in one statement: refused */
	CLASSIFY_STATEMENTS_MAX = 1000
};

struct relation_use {
	struct text schema; /* len 0: unqualified */
	struct text name;   /* as the server folded it, unquoted */
	bool is_read;
	bool is_written;
	bool is_cte; /* the statement defines a WITH query of this name: it
		      * names a real relation only if one exists */
};

struct statement {
	struct text canonical;
	struct text raw;      /* this statement's part of the text */
	/* Its tokens, without its semicolon; as long-lived as the arena. */
	const struct token *tokens;
	size_t token_count;
	uint64_t operations;  /* BIT(OP_…); OP_UNKNOWN if no rule claims it */
	uint64_t traits;      /* BIT(TRAIT_…) */
	struct relation_use *relations;
	size_t relation_count;
	/* Every distinct name the statement mentions anywhere (columns,
	 * aliases, relations, functions; keywords that can be column names
	 * too), sorted by text_hash(), for "could it reach column X". */
	struct text *names;
	size_t name_count;
	/* SET/RESET/SHOW: the setting's name folded; SET: its value when it is
	 * one constant or word. PREPARE/EXECUTE/DEALLOCATE/DECLARE/FETCH/CLOSE:
	 * the object's name. len 0 otherwise (or ALL). */
	struct text subject;
	struct text value;
	/* The first function it calls of those that reach furthest: escaping
	 * before opaque before unknown; len 0: all are clean. */
	struct text function;
	/* Names of the functions it calls that are on no list, as often as it
	 * calls them. */
	struct text *unlisted;
	size_t unlisted_count;
};

struct classified {
	struct statement *statements; /* empty statements left out */
	size_t count;
	const char *error; /* why the text was refused; NULL if it was not */
	/* It has no tokens by the server's own rules: an open quote and the
	 * like. (In encodings that may be read in two ways: never.) */
	bool is_broken;
	struct text trace_comment;
};

struct classifier; /* compiled class rules of one dialect; immutable */

/* Compile the class rules and function list (the YAML text of
 * policies/classes/X.yaml and policies/functions/X.yaml). On ERR_INVALID a
 * message "file:line:column: …" is in `message_out` (arena).
 * The caller frees with classifier_free(). */
enum err classifier_new(enum dialect dialect, const char *classes_file,
    struct text classes_yaml, const char *functions_file,
    struct text functions_yaml, struct arena *messages,
    struct classifier **out, const char **message_out) MUST_CHECK;

void classifier_free(struct classifier *c);

/* What the list of functions says of an unqualified name. */
enum function_listing {
	FUNCTION_UNLISTED,
	FUNCTION_CLEAN,
	FUNCTION_OPAQUE, /* or escaping */
};
enum function_listing classifier_lists(
    const struct classifier *c, struct text function);

/* Is it on the list of functions that reach past the statement? */
bool classifier_escapes(const struct classifier *c, struct text function);

/* Is it on the list of extensions whose C functions are clean, but for those
 * that are listed otherwise by name? */
bool classifier_trusts(const struct classifier *c, struct text extension);

/* Can the built-in function's result hold what it was not given: what is
 * stored, or other sessions' doings? Of a name on no list: yes. Constructs
 * spelt with a keyword are no such functions. */
bool classifier_reveals(const struct classifier *c, struct text function);

/* When can the function neither fail nor return several rows? */
enum total classifier_totality(
    const struct classifier *c, struct text function);

/* Lex, canonicalise and classify all statements of `sql`. Everything out is
 * in the arena.  ERR_MALFORMED, ERR_REGEX (match limit), ERR_TOO_LONG,
 * ERR_MEMORY: deny; out->error says why in words, always set then. */
enum err classify_text(const struct classifier *c,
    const struct lex_state *state, struct text sql, struct arena *a,
    struct classified *out) MUST_CHECK;

/* The canonical text of `sql` if it is one statement: what decides, but for
 * literals, so a key under which its classification may be kept.  Cheap: no
 * rule is run.  ERR_NOT_FOUND: several statements, none, or a comment that
 * may be a claim; otherwise errors as classify_text(), without words. */
enum err classify_key(const struct classifier *c,
    const struct lex_state *state, struct text sql, struct arena *a,
    struct text *canonical_out) MUST_CHECK;

enum { FINGERPRINT_SIZE = 17 };

/* Hex, of canonical, NUL-terminated: the same for the same. */
void statement_fingerprint(
    const struct statement *s, char out[FINGERPRINT_SIZE]);

/* Does the statement mention this name anywhere? O(log names). */
bool statement_mentions(const struct statement *s, struct text name);

#endif
