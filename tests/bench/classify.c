/*
 * classify.c - what the gate's decision costs: nanoseconds of CPU time for
 * one statement, beside PostgreSQL's own parser on the same texts.
 *
 *	classify POLICIES [runs]
 *
 * Every figure is the median of some runs, and within a run everything takes
 * its turn, so that a busy machine is busy for all.  Cold: no text has the
 * canonical text of another, so that nothing remembered helps.  Warm: sixteen
 * texts that come again with other constants, as applications have them.
 *
 * The columns: lexing; classification without it; the decision under 10, 100
 * and 1,000 rules; all three under 100, and that a byte; what is reached of
 * protected columns, by the catalogue; the gate's whole work, these and the
 * audit record prepared, cold and warm; the server's raw_parser() and
 * pg_query_parse(), which has the tree as JSON; "all" as ratios to these.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/bench/parser.h"
#include "tests/bench/texts.h"
#include "tests/bench/world.h"
#include "worker/snapshot.h"

enum {
	RUNS_MAX = 101,
	TEXTS_MAX = 1024,
	BYTES_A_RUN = 512 * 1024, /* of texts */
	TEXTS_MIN = 24,
	WARM = 16, /* texts that come again: they fit the gate's cache */
};

enum what {
	LEX,
	CLASSIFY, /* lexing, too */
	REACH,	  /* which protected columns, by the catalogue */
	DECIDE_10, /* what the rules say to it */
	DECIDE_100,
	DECIDE_1000,
	GATE_COLD, /* all of the gate's work, under 100 rules */
	GATE_WARM,
	PARSER_RAW,
	PARSER_FULL,
	WHATS
};

struct bench {
	struct world *world;
	const struct classifier *classifier;
	struct arena *arena; /* reset for each text */
	struct texts texts;
	struct texts again[2]; /* the first of them, with other constants */
	struct statement *statements; /* of `texts`, as classified */
	struct arena *kept;	      /* where they live */
};

static const struct lex_state state = {.dialect = DIALECT_POSTGRES,
    .standard_conforming_strings = true,
    .is_utf8 = true};

/* Nobody shall take a result for unused. */
static volatile uint64_t sink;

static void
must(enum err e, struct text sql)
{
	if (e != ERR_NONE)
		errx(2, "%s: %s", err_text(e), sql.at);
}

/* --- what is measured ----------------------------------------------------- */

static void
do_lex(struct bench *b, size_t i)
{
	struct lexed lexed;

	arena_reset(b->arena);
	must(lexer_run(&state, b->texts.at[i], b->arena, &lexed),
	    b->texts.at[i]);
	sink += lexed.count;
}

static void
do_classify(struct bench *b, size_t i)
{
	struct classified c;

	arena_reset(b->arena);
	must(classify_text(b->classifier, &state, b->texts.at[i], b->arena, &c),
	    b->texts.at[i]);
	sink += c.statements[0].operations;
}

static void
do_decide(struct bench *b, size_t i)
{
	struct gate *g = &b->world->gate;
	struct statement *s = &b->statements[i];
	struct verdict v;

	arena_reset(b->arena);
	must(docket_decide(g->docket, s, time(NULL), snapshot_resolve, g,
		 b->arena, &v),
	    s->raw);
	if (v.decision != THEN_ALLOW)
		errx(2, "%.*s: %s", (int)v.reason.len, v.reason.at, s->raw.at);
	sink += v.matched_count;
}

static void
do_reach(struct bench *b, size_t i)
{
	struct touch touch;

	arena_reset(b->arena);
	must(protection_touch(b->world->gate.protection, &b->statements[i],
		 b->arena, &touch),
	    b->texts.at[i]);
	sink += touch.is_protected;
}

static void
judge(struct gate *g, struct text sql)
{
	struct ruling *j = gate_judge(g, sql);

	if (j == NULL || j->verdict.decision != THEN_ALLOW)
		errx(2, "not allowed: %s", sql.at);
	sink += j->operations;
	ruling_drop(j);
}

static void
do_gate_cold(struct bench *b, size_t i)
{
	judge(&b->world->gate, b->texts.at[i]);
}

static void
do_gate_warm(struct bench *b, size_t i)
{
	judge(&b->world->gate, b->again[i / WARM % 2].at[i % WARM]);
}

static void
do_parser_raw(struct bench *b, size_t i)
{
	parser_raw(b->texts.at[i]);
}

static void
do_parser_full(struct bench *b, size_t i)
{
	parser_full(b->texts.at[i]);
}

static const struct {
	void (*run)(struct bench *b, size_t i);
	size_t rules;
} tasks[WHATS] = {
    [LEX] = {do_lex, 100},
    [CLASSIFY] = {do_classify, 100},
    [REACH] = {do_reach, 100},
    [DECIDE_10] = {do_decide, 10},
    [DECIDE_100] = {do_decide, 100},
    [DECIDE_1000] = {do_decide, 1000},
    [GATE_COLD] = {do_gate_cold, 100},
    [GATE_WARM] = {do_gate_warm, 100},
    [PARSER_RAW] = {do_parser_raw, 100},
    [PARSER_FULL] = {do_parser_full, 100},
};

/* --- measuring ------------------------------------------------------------ */

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* Nanoseconds for one statement. */
static double
measure(struct bench *b, enum what what)
{
	size_t i;
	double start;

	world_use_rules(b->world, tasks[what].rules);
	for (i = 0; i < TEXTS_MIN; i++) /* the world is new */
		tasks[what].run(b, i);
	start = now();
	for (i = 0; i < b->texts.count; i++)
		tasks[what].run(b, i);
	return (now() - start) / (double)b->texts.count;
}

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void
measure_all(struct bench *b, size_t runs, double *medians)
{
	double found[WHATS][RUNS_MAX];
	size_t what, run;

	for (run = 0; run < runs; run++) {
		for (what = 0; what < WHATS; what++)
			found[what][run] = measure(b, (enum what)what);
	}
	for (what = 0; what < WHATS; what++) {
		qsort(found[what], runs, sizeof(double), compare);
		medians[what] = found[what][runs / 2];
	}
}

/* --- the table ------------------------------------------------------------ */

static void
classify_all(struct bench *b)
{
	struct classified c;
	size_t i;

	b->statements = calloc(b->texts.count, sizeof(*b->statements));
	if (b->statements == NULL)
		errx(2, "out of memory");
	for (i = 0; i < b->texts.count; i++) {
		must(classify_text(b->classifier, &state, b->texts.at[i],
			 b->kept, &c),
		    b->texts.at[i]);
		b->statements[i] = c.statements[0];
	}
}

static void
print_head(void)
{
	printf("%-6s %6s %7s %8s %6s %6s %6s %8s %5s %7s %8s %8s %8s "
	       "%8s %5s %5s\n",
	    "text", "bytes", "lex", "classify", "d10", "d100", "d1000", "all",
	    "ns/B", "reach", "gate", "warm", "raw", "full", "/raw", "/full");
}

static void
print_row(enum shape shape, double bytes, const double *m)
{
	double all = m[CLASSIFY] + m[DECIDE_100];

	printf("%-6s %6.0f %7.0f %8.0f %6.0f %6.0f %6.0f %8.0f %5.1f %7.0f "
	       "%8.0f %8.0f %8.0f %8.0f %5.2f %5.2f\n",
	    shape_names[shape], bytes, m[LEX], m[CLASSIFY] - m[LEX],
	    m[DECIDE_10], m[DECIDE_100], m[DECIDE_1000], all, all / bytes,
	    m[REACH], m[GATE_COLD], m[GATE_WARM], m[PARSER_RAW],
	    m[PARSER_FULL], all / m[PARSER_RAW], all / m[PARSER_FULL]);
	fflush(stdout);
}

static void
bench_size(struct bench *b, enum shape shape, size_t bytes, size_t runs)
{
	size_t count = BYTES_A_RUN / bytes, i;
	double medians[WHATS], sum = 0;

	if (count > TEXTS_MAX)
		count = TEXTS_MAX;
	if (count < TEXTS_MIN)
		count = TEXTS_MIN;
	b->texts = texts_make(shape, bytes, count, 1);
	b->again[0] = texts_make(shape, bytes, WARM, 2);
	b->again[1] = texts_make(shape, bytes, WARM, 3);
	classify_all(b);
	measure_all(b, runs, medians);
	for (i = 0; i < count; i++)
		sum += (double)b->texts.at[i].len;
	print_row(shape, sum / (double)count, medians);
	free(b->statements);
	arena_reset(b->kept);
	texts_free(&b->texts);
	texts_free(&b->again[0]);
	texts_free(&b->again[1]);
}

int
main(int argc, char **argv)
{
	static const size_t sizes[] = {200, 2000, 20000, 200000};
	struct bench b = {.arena = arena_new(0), .kept = arena_new(0)};
	size_t runs = argc > 2 ? (size_t)atoi(argv[2]) : 9, shape, i;

	if (argc < 2 || argc > 3 || runs < 1 || runs > RUNS_MAX) {
		fprintf(stderr, "usage: classify POLICIES [runs]\n");
		return 2;
	}
	world_catalogue();
	atexit(world_catalogue_remove);
	b.world = world_new(argv[1]);
	b.classifier = b.world->policy.classifiers[DIALECT_POSTGRES];
	print_head();
	for (shape = 0; shape < SHAPE_MAX; shape++) {
		for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
			bench_size(&b, (enum shape)shape, sizes[i], runs);
	}
	world_free(b.world);
	arena_free(b.arena);
	arena_free(b.kept);
	return 0;
}
