/*
 * tokens.c - the lexer against PostgreSQL's own scanner, token for token.
 *
 *	tokens [-n MUTANTS] [-s SEED] [-e EXAMPLES] [-l LIBRARY -V VERSION]
 *	    [CORPUS…]
 *
 * A corpus is a file of texts separated by NUL bytes, gzipped or not; the
 * texts of nasty.c come first. For each text and its mutants:
 *  - where the scanner finds tokens, the lexer must find the same ones, byte
 *    for byte, or refuse for a reason that is allowed here;
 *  - where the scanner fails, the lexer must refuse;
 *  - a string's value and a name, folded and cut, must be the parser's (of
 *    the linked version alone).
 * -l: another version's libpg_query than that which is linked. Exit status 1:
 * a token differs, a text is taken that the server refuses, or one is refused
 * without an allowed reason.
 */
#include <dlfcn.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

#include "tests/oracle/tokens/nasty.h"
#include "tests/oracle/tokens/scanner.h"
#include "tests/oracle/tokens/values.h"

enum { CORPUS_MAX = 64 << 20, TEXTS_MAX = 1 << 18, REASONS_MAX = 64 };

struct reason {
	const char *why;
	size_t count;
};

struct oracle {
	scan_function scan;
	struct lex_state state;
	struct arena *arena;
	struct scanned scanned;
	size_t examples, mutants;
	uint64_t seed;
	/* what came of it */
	size_t texts, tokens, values, errors, peculiar, findings;
	struct reason reasons[REASONS_MAX]; /* of refusals of whole texts */
};

static const char *corpus[TEXTS_MAX];
static size_t corpus_count;

static void
find(struct oracle *o, const char *what, const char *why, const char *sql)
{
	if (o->findings++ < o->examples)
		printf("%s%s%s\n\t%.300s\n", what, why ? ": " : "",
		    why ? why : "", sql);
}

static void
count_reason(struct oracle *o, const char *why)
{
	struct reason *r = o->reasons;

	while (r->why != NULL && strcmp(r->why, why) != 0)
		r++;
	r->why = why;
	r->count++;
}

/* May a text be refused in which the scanner found tokens? */
static bool
is_allowed(const struct scanned *theirs, const struct lexed *ours)
{
	static const char *const reasons[] = {"invalid UTF-8",
	    "a parameter number too large",
	    /* minor versions differ */
	    "perhaps junk after a number", "dots after 1_000 in version 16"};
	size_t i;

	if (theirs->has_stranger || theirs->is_peculiar)
		return true;
	/* the parser looks into these, not the scanner */
	if (theirs->has_unicode && (strstr(ours->error, "UESCAPE") != NULL ||
				       strstr(ours->error, "Unicode") != NULL))
		return true;
	for (i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		if (strcmp(ours->error, reasons[i]) == 0)
			return true;
	}
	return false;
}

/* A string of two, with a comment between, which is one to the server. */
static bool
is_joined_over_comment(const struct lexed *ours)
{
	size_t i;

	for (i = 0; i < ours->count; i++) {
		const struct token *t = &ours->tokens[i];

		if (t->kind == TOKEN_STRING && t->raw.at[0] != '$' &&
		    memmem(t->raw.at, t->raw.len, "--", 2) != NULL)
			return true;
	}
	return false;
}

static bool
is_same(const struct scanned_token *theirs, const struct token *ours,
    const char *sql)
{
	return theirs->kind == ours->kind &&
	       sql + theirs->start == ours->raw.at &&
	       (!theirs->has_end ||
		   theirs->end - theirs->start == ours->raw.len);
}

static void
compare_values(struct oracle *o, const char *sql, const struct lexed *ours)
{
	size_t i;

	for (i = 0; i < ours->count; i++) {
		switch (value_compare(&ours->tokens[i])) {
		case VALUE_OTHER:
			find(o, "DIFFERENT value", ours->tokens[i].raw.at, sql);
			break;
		case VALUE_SAME:
			o->values++;
			break;
		default:
			break;
		}
	}
}

static void
compare(struct oracle *o, const char *sql, const struct lexed *ours)
{
	const struct scanned *theirs = &o->scanned;
	size_t i;

	o->tokens += theirs->count;
	if (theirs->has_stranger)
		find(o, "TAKEN that no grammar takes", NULL, sql);
	else if (theirs->count != ours->count)
		find(o, "DIFFERENT number of tokens", NULL, sql);
	for (i = 0; i < theirs->count && i < ours->count; i++) {
		if (is_same(&theirs->tokens[i], &ours->tokens[i], sql))
			continue;
		find(o, "DIFFERENT token", sql + theirs->tokens[i].start, sql);
		return;
	}
	if (o->scan == pg_query_scan)
		compare_values(o, sql, ours);
}

static void
judge(struct oracle *o, const char *sql)
{
	struct lexed ours;
	enum err e;

	o->texts++;
	scanner_run(o->scan, o->state.version, sql, &o->scanned);
	arena_reset(o->arena);
	e = lexer_run(&o->state, text_of(sql), o->arena, &ours);
	if (o->scanned.is_error) {
		o->errors++;
		if (e == ERR_NONE && !is_joined_over_comment(&ours))
			find(o, "TAKEN that the scanner refuses", NULL, sql);
	} else if (e == ERR_NONE && o->scanned.is_peculiar) {
		o->peculiar++;
	} else if (e == ERR_NONE) {
		compare(o, sql, &ours);
	} else if (is_allowed(&o->scanned, &ours)) {
		count_reason(o, ours.error);
	} else {
		find(o, "REFUSED", ours.error, sql);
	}
}

static void
judge_all(struct oracle *o)
{
	static char made[NASTY_MAX];
	size_t i, k;

	for (i = 0; i < corpus_count; i++) {
		judge(o, corpus[i]);
		for (k = 0; k < o->mutants; k++) {
			nasty_make(&o->seed, corpus[i],
			    corpus[nasty_random(
				&o->seed, (uint32_t)corpus_count)],
			    made);
			judge(o, made);
		}
	}
}

/* --- the corpus ----------------------------------------------------------- */

static void
add_text(const char *sql)
{
	if (*sql != '\0' && corpus_count < TEXTS_MAX)
		corpus[corpus_count++] = sql;
}

static void
add_file(const char *path)
{
	gzFile file = gzopen(path, "rb");
	char *bytes = malloc(CORPUS_MAX + 1);
	int got, at;

	if (file == NULL || bytes == NULL) {
		perror(path);
		exit(2);
	}
	got = gzread(file, bytes, CORPUS_MAX);
	gzclose(file);
	if (got < 0) {
		fprintf(stderr, "%s: cannot be read\n", path);
		exit(2);
	}
	bytes[got] = '\0';
	for (at = 0; at < got; at += (int)strlen(bytes + at) + 1)
		add_text(bytes + at);
}

static void
use_library(struct oracle *o, const char *path)
{
	void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);

	if (library != NULL)
		*(void **)&o->scan = dlsym(library, "pg_query_scan");
	if (library == NULL || o->scan == NULL) {
		fprintf(stderr, "%s\n", dlerror());
		exit(2);
	}
}

static void
read_options(struct oracle *o, int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "n:s:e:l:V:")) != -1) {
		unsigned long number = strtoul(c == 'l' ? "0" : optarg, NULL, 10);

		switch (c) {
		case 'n':
			o->mutants = number;
			break;
		case 's':
			o->seed = number | 1;
			break;
		case 'e':
			o->examples = number;
			break;
		case 'V':
			o->state.version = (unsigned)number;
			break;
		case 'l':
			use_library(o, optarg);
			break;
		default:
			exit(2);
		}
	}
}

static int
report(const struct oracle *o)
{
	size_t i;

	printf("texts                             %zu\n", o->texts);
	printf("  both refused                    %zu\n", o->errors);
	printf("  not comparable (scanner.h)      %zu\n", o->peculiar);
	printf("tokens compared                   %zu\n", o->tokens);
	printf("values compared                   %zu\n", o->values);
	for (i = 0; o->reasons[i].why != NULL; i++)
		printf("refused by the lexer alone        %zu: %s\n",
		    o->reasons[i].count, o->reasons[i].why);
	printf("findings (must be 0)              %zu\n", o->findings);
	return o->findings == 0 && o->tokens > 0 ? 0 : 1;
}

int
main(int argc, char **argv)
{
	static struct oracle o = {.scan = pg_query_scan,
	    .state = {.dialect = DIALECT_POSTGRES,
		.standard_conforming_strings = true,
		.is_utf8 = true,
		.version = 15},
	    .examples = 20,
	    .mutants = 20,
	    .seed = 88172645463325252};
	size_t i;

	read_options(&o, argc, argv);
	o.arena = arena_new(0);
	for (i = 0; nasty_texts[i] != NULL; i++)
		add_text(nasty_texts[i]);
	for (i = (size_t)optind; i < (size_t)argc; i++)
		add_file(argv[i]);
	judge_all(&o);
	arena_free(o.arena);
	return report(&o);
}
