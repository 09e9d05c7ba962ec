/*
 * oracle.c - the classifier against PostgreSQL's own parser.
 *
 *	oracle [-n MUTANTS] [-e EXAMPLES] [-m EXAMPLES] POLICIES CORPUS…
 *
 * A corpus is a file of statements separated by NUL bytes (*.nul, *.nul.gz)
 * or, by any other name, by a `;` at the end of a line. For each text that libpg_query parses,
 * what the parse tree says of each statement (truth.h) must be among what
 * the classifier says of it: operations; relations with their schemas, read
 * and written; traits, functions' among them; no `where` where an UPDATE or
 * DELETE lacks one. Whatever is missing is "less strict": a bug. What there
 * is more of is the price of strictness, counted where it matters: an
 * operation, a written relation, a function's trait, a WHERE not seen.
 *
 * Each text is then written in other ways (mutate.h), which must not change
 * an answer. Exit status 1: something is less strict, unknown, refused, or
 * changed.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

#include "common/class_rules.h"
#include "compare.h"
#include "mutate.h"
#include "parsed.h"
#include "report.h"

enum { CORPUS_MAX = 64 << 20 };

struct oracle {
	struct classifier *classifier;
	struct class_rules functions; /* for its words alone */
	struct arena *arena;	      /* of one text */
	size_t mutants_wanted;
};

struct counts {
	size_t texts, unparsed, compared, statements;
	size_t strict, less, unknown, refused, needless;
};

static const struct lex_state state = {.dialect = DIALECT_POSTGRES,
    .standard_conforming_strings = true,
    .is_utf8 = true};

static void
judge_statements(struct oracle *o, const json_t *tree,
    const struct classified *classified, struct comparison *all)
{
	const json_t *statements = json_object_get(tree, "stmts");
	static struct truth truth; /* large */
	json_t *one;
	size_t i;

	if (json_array_size(statements) != classified->count) {
		report_find(true, "LESS statements", "counted");
		all->is_less = true;
		return;
	}
	json_array_foreach((json_t *)(uintptr_t)statements, i, one)
	{
		struct comparison c;

		truth_of(&truth, one, o->functions.words);
		c = compare(
		    &truth, &classified->statements[i], classified->count == 1);
		all->is_less |= c.is_less;
		all->is_unknown |= c.is_unknown;
		all->is_needless |= c.is_needless;
	}
}

/* Is the text's classification as strict as `tree`? */
static bool
judge_tree(struct oracle *o, const char *sql, const char *tree,
    struct counts *n)
{
	json_t *parsed = json_loads(tree, JSON_ALLOW_NUL, NULL);
	struct comparison all = {0};
	struct classified classified;
	bool strict = false;

	report_statement(sql);
	arena_reset(o->arena);
	n->compared++;
	if (classify_text(o->classifier, &state, text_of(sql), o->arena,
		&classified) != ERR_NONE) {
		report_find(true, "REFUSED", classified.error);
		n->refused++;
	} else {
		judge_statements(o, parsed, &classified, &all);
		n->statements += classified.count;
		n->less += all.is_less;
		n->unknown += all.is_unknown;
		n->needless += all.is_needless;
		strict = !all.is_less && !all.is_unknown;
		n->strict += strict;
	}
	json_decref(parsed);
	return strict;
}

/* Other ways to write it. */
static void
judge_mutants(struct oracle *o, const char *sql, const char *tree,
    struct counts *spelt, struct counts *nested)
{
	struct mutation m;
	size_t i;

	for (i = 0; i < o->mutants_wanted; i++) {
		if (!mutate(sql, tree, i, &m))
			continue;
		if (m.is_nested) {
			(void)judge_tree(o, m.sql, m.tree, nested);
		} else {
			report_statement(m.sql);
			arena_reset(o->arena);
			spelt->compared++;
			spelt->strict += mutate_is_same(
			    o->classifier, &state, sql, &m, o->arena);
		}
		mutation_free(&m);
	}
}

struct totals {
	struct counts texts, spelt, nested;
};

static void
judge(struct oracle *o, const char *sql, struct totals *n)
{
	char *tree = parsed_tree(sql);

	n->texts.texts++;
	if (tree == NULL)
		n->texts.unparsed++;
	else if (judge_tree(o, sql, tree, &n->texts))
		judge_mutants(o, sql, tree, &n->spelt, &n->nested);
	free(tree);
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

/* A statement ends with a `;` at the end of a line, if the next line does not
 * begin with white space: NULs take the place of those line ends. */
static void
split_at_semicolons(char *corpus)
{
	char *at = corpus;

	while ((at = strstr(at, ";\n")) != NULL) {
		at += 2;
		if (*at != ' ' && *at != '\t')
			at[-1] = '\0';
	}
}

static void
judge_corpus(struct oracle *o, const char *path, struct totals *n)
{
	size_t len, at;
	char *corpus = read_all(path, &len);

	if (strstr(path, ".nul") == NULL)
		split_at_semicolons(corpus);
	for (at = 0; at < len; at += strlen(corpus + at) + 1) {
		if (corpus[at] != '\0')
			judge(o, corpus + at, n);
	}
	free(corpus);
}

static void
load(struct oracle *o, const char *folder, struct arena *a)
{
	char classes[512], functions[512];
	const char *message = NULL;
	struct text texts[2];
	enum err e;

	snprintf(classes, sizeof(classes), "%s/classes/postgres.yaml", folder);
	snprintf(functions, sizeof(functions), "%s/functions/postgres.yaml",
	    folder);
	texts[0].at = read_all(classes, &texts[0].len);
	texts[1].at = read_all(functions, &texts[1].len);
	e = classifier_new(DIALECT_POSTGRES, classes, texts[0], functions,
	    texts[1], a, &o->classifier, &message);
	if (e == ERR_NONE)
		e = class_rules_load(classes, texts[0], functions, texts[1], a,
		    &o->functions, &message);
	if (e != ERR_NONE) {
		fprintf(stderr, "%s\n", message ? message : "out of memory");
		exit(2);
	}
	free((char *)(uintptr_t)texts[0].at);
	free((char *)(uintptr_t)texts[1].at);
}

static double
percent(size_t part, size_t whole)
{
	return whole == 0 ? 0 : 100.0 * (double)part / (double)whole;
}

static size_t
print(const struct totals *n)
{
	const struct counts *t = &n->texts, *x = &n->nested;
	size_t good = t->strict + x->strict + n->spelt.strict;
	size_t all = t->compared + x->compared + n->spelt.compared;

	report_print();
	printf("%zu texts (%zu more the parser refuses), %zu statements "
	       "compared\n"
	       "  less strict: %zu; unknown: %zu; refused: %zu; stricter "
	       "without need: %zu (%.2f %%)\n",
	    t->compared, t->unparsed, t->statements, t->less, t->unknown,
	    t->refused, t->needless, percent(t->needless, t->compared));
	printf("%zu spelt otherwise: %zu with another answer\n",
	    n->spelt.compared, n->spelt.compared - n->spelt.strict);
	printf("%zu nested in others: less strict: %zu; unknown: %zu; refused: "
	       "%zu; stricter without need: %zu (%.2f %%)\n",
	    x->compared, x->less, x->unknown, x->refused, x->needless,
	    percent(x->needless, x->compared));
	printf("%zu passed, %zu failed\n", good, all - good);
	return all - good;
}

static void
usage(void)
{
	fprintf(stderr, "usage: oracle [-n MUTANTS] [-e EXAMPLES of what is "
			"wrong] [-m EXAMPLES of more]\n"
			"              POLICIES CORPUS...\n");
	exit(2);
}

static void
read_options(struct oracle *o, int argc, char **argv)
{
	size_t wrong = 3, needless = 0;
	int option;

	while ((option = getopt(argc, argv, "n:e:m:")) != -1) {
		if (option == 'n')
			o->mutants_wanted = strtoul(optarg, NULL, 10);
		else if (option == 'e')
			wrong = strtoul(optarg, NULL, 10);
		else if (option == 'm')
			needless = strtoul(optarg, NULL, 10);
		else
			usage();
	}
	if (argc - optind < 2)
		usage();
	report_examples(wrong, needless);
}

int
main(int argc, char **argv)
{
	struct arena *messages = arena_new(0);
	struct oracle o = {.arena = arena_new(0), .mutants_wanted = 6};
	static struct totals n;
	int i;

	read_options(&o, argc, argv);
	load(&o, argv[optind], messages);
	for (i = optind + 1; i < argc; i++)
		judge_corpus(&o, argv[i], &n);
	classifier_free(o.classifier);
	class_rules_free(&o.functions);
	arena_free(o.arena);
	arena_free(messages);
	return print(&n) == 0 && n.texts.compared > 0 ? 0 : 1;
}
