/*
 * trees.c - the query parser against PostgreSQL's own.
 *
 *	trees [-n RANDOM] [-s SAMPLES] CORPUS…
 *
 * For each statement that libpg_query parses and that is a query, a change or
 * what may stand around one: both trees, written as the same S-expression
 * (tests/unit/query_dump.h), must be equal. What Sallyport declines is
 * counted, with its reasons. Then as many statements made at random. Exit
 * status 1: a tree differs.
 */
#include <jansson.h>
#include <pg_query.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

#include "tests/oracle/trees/random_sql.h"
#include "tests/oracle/trees/server_tree.h"
#include "tests/unit/query_dump.h"

enum { CORPUS_MAX = 64 << 20, REASONS_MAX = 64 };

struct reason {
	const char *why;
	size_t count, shown;
};

static struct counts {
	size_t texts, compared, equal, different, declined, overlooked;
	struct reason reasons[REASONS_MAX];
	size_t reason_count;
} n;

static size_t samples = 3;

static void
show(const char *what, const char *sql, size_t len)
{
	size_t i;

	printf("%s: ", what);
	for (i = 0; i < len && i < 600; i++)
		putchar(sql[i] == '\n' ? ' ' : sql[i]);
	putchar('\n');
}

static void
count_reason(const char *why, const char *sql, size_t len)
{
	size_t i;

	n.declined++;
	for (i = 0; i < n.reason_count; i++) {
		if (strcmp(n.reasons[i].why, why) == 0)
			break;
	}
	if (i == REASONS_MAX)
		return;
	if (i == n.reason_count)
		n.reasons[n.reason_count++].why = why;
	n.reasons[i].count++;
	if (n.reasons[i].shown++ < samples)
		show(why, sql, len);
}

/* libpg_query 15's JSON has no negative integers: they are 0 in both. */
static void
blur_negative(char *tree)
{
	char *from = tree, *to = tree;
	size_t digits;

	while (*from != '\0') {
		digits = from[0] == ' ' && from[1] == '-'
			     ? strspn(from + 2, "0123456789")
			     : 0;
		if (digits > 0 && strchr(" )", from[2 + digits]) != NULL) {
			memcpy(to, " 0", 2);
			to += 2;
			from += 2 + digits;
		} else {
			*to++ = *from++;
		}
	}
	*to = '\0';
}

/* What both say of one statement. */
static void
compare(const struct token *tokens, size_t count, const json_t *statement,
    const char *sql, size_t len, struct arena *a)
{
	char *theirs = NULL, *ours = NULL;
	size_t their_len, our_len;
	struct query_tree tree;
	FILE *to;

	to = open_memstream(&theirs, &their_len);
	if (!server_tree(to, statement)) {
		fclose(to);
		free(theirs);
		if (query_parse(tokens, count, a, &tree) == ERR_NONE) {
			n.different++;
			show("a tree of what is no query", sql, len);
		}
		return;
	}
	fclose(to);
	n.compared++;
	if (query_parse(tokens, count, a, &tree) != ERR_NONE) {
		count_reason(tree.declined, sql, len);
		free(theirs);
		return;
	}
	to = open_memstream(&ours, &our_len);
	query_dump(to, tokens, &tree);
	fclose(to);
	blur_negative(ours);
	blur_negative(theirs);
	if (strcmp(ours, theirs) == 0) {
		n.equal++;
	} else {
		if (n.different++ < 10 * samples) {
			show("DIFFERENT", sql, len);
			printf("  server   %s\n  Sallyport%s\n", theirs, ours);
		}
	}
	free(ours);
	free(theirs);
}

/* The tokens of statement `index` of a text, up to its semicolon. */
static bool
next_statement(const struct lexed *l, size_t *at, const struct token **tokens,
    size_t *count)
{
	size_t i = *at;

	while (i < l->count && text_is(l->tokens[i].raw, TEXT(";")))
		i++;
	*tokens = &l->tokens[i];
	*count = 0;
	for (; i < l->count && !text_is(l->tokens[i].raw, TEXT(";")); i++)
		(*count)++;
	*at = i;
	return *count > 0;
}

static void
judge(const char *sql, struct arena *a)
{
	static const struct lex_state state = {.dialect = DIALECT_POSTGRES,
	    .standard_conforming_strings = true,
	    .is_utf8 = true};
	PgQueryParseResult parsed = pg_query_parse(sql);
	json_t *root, *all, *one;
	struct lexed l;
	const struct token *tokens;
	size_t i, at = 0, count, start;

	n.texts++;
	arena_reset(a);
	if (lexer_run(&state, text_of(sql), a, &l) != ERR_NONE ||
	    parsed.error != NULL) {
		n.overlooked++;
		pg_query_free_parse_result(parsed);
		return;
	}
	root = json_loads(parsed.parse_tree, JSON_ALLOW_NUL, NULL);
	all = json_object_get(root, "stmts");
	json_array_foreach(all, i, one)
	{
		/* a rule's actions hold semicolons: no query, so stop */
		if (!next_statement(&l, &at, &tokens, &count))
			break;
		start = (size_t)(tokens->raw.at - sql);
		compare(tokens, count, json_object_get(one, "stmt"),
		    sql + start,
		    (size_t)(tokens[count - 1].raw.at +
			     tokens[count - 1].raw.len - tokens->raw.at),
		    a);
		if (json_object_get(json_object_get(one, "stmt"), "RuleStmt"))
			break;
	}
	json_decref(root);
	pg_query_free_parse_result(parsed);
}

static char *
read_all(const char *path, size_t *len_out)
{
	gzFile file = gzopen(path, "rb");
	char *bytes = malloc(CORPUS_MAX + 1);
	int got;

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
	*len_out = (size_t)got;
	return bytes;
}

/* Statements are separated by NUL bytes or, in *.sql, by a `;` at the end of a
 * line. */
static void
judge_file(const char *path, struct arena *a)
{
	size_t len, at, i;
	char *corpus = read_all(path, &len);
	const char *dot = strrchr(path, '.');

	if (dot != NULL && strcmp(dot, ".sql") == 0) {
		for (i = 0; i + 1 < len; i++) {
			if (corpus[i] == ';' && corpus[i + 1] == '\n')
				corpus[i] = '\0';
		}
	}
	for (at = 0; at < len; at += strlen(corpus + at) + 1)
		judge(corpus + at, a);
	free(corpus);
}

static int
by_count(const void *a, const void *b)
{
	const struct reason *x = a, *y = b;

	return (y->count > x->count) - (y->count < x->count);
}

static void
report(void)
{
	size_t i;

	qsort(n.reasons, n.reason_count, sizeof(*n.reasons), by_count);
	for (i = 0; i < n.reason_count && i < 15; i++)
		printf("%7zu  declined: %s\n", n.reasons[i].count,
		    n.reasons[i].why);
	printf("%zu texts (%zu refused), %zu statements compared, %zu equal, "
	       "%zu different, %zu declined (%.2f %%)\n",
	    n.texts, n.overlooked, n.compared, n.equal, n.different, n.declined,
	    100.0 * (double)n.declined / (double)(n.compared ? n.compared : 1));
}

int
main(int argc, char **argv)
{
	struct arena *a = arena_new(0);
	size_t random = 0, i;
	char *sql;
	int k;

	for (k = 1; k < argc; k++) {
		if (strcmp(argv[k], "-n") == 0 && k + 1 < argc)
			random = (size_t)atol(argv[++k]);
		else if (strcmp(argv[k], "-s") == 0 && k + 1 < argc)
			samples = (size_t)atol(argv[++k]);
		else
			judge_file(argv[k], a);
	}
	if (n.texts > 0)
		report();
	for (i = 0; i < random; i++) {
		sql = random_sql(i);
		judge(sql, a);
		free(sql);
	}
	report();
	arena_free(a);
	return n.different > 0;
}
