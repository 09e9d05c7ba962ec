/* links: common/policy_decide.c common/policy_docket.c common/policy_touch.c common/policy_when.c common/who.c common/regex.c common/vocab.c common/err.c common/arena.c common/text.c */
#include <check.h>
#include <stdlib.h>

#include "common/policy.h"
#include "common/policy_when.h"
#include "common/regex.h"
#include "tests/unit/suite.h"

/* --- words for the tables ------------------------------------------------ */

#define S(s) {(s), sizeof(s) - 1}
#define T(one) ((struct text[]){S(one)})
#define T2(one, two) ((struct text[]){S(one), S(two)})
#define NONE {{.is_read = false}}
#define NO_RULE {{.does = 0}}

#define READ_OPS                                                               \
	(BIT(OP_SELECT) | BIT(OP_SHOW) | BIT(OP_EXPLAIN) | BIT(OP_COPY_OUT))
#define DML (BIT(OP_INSERT) | BIT(OP_UPDATE) | BIT(OP_DELETE))

#define ALLOW(what) .does = (what), .then = THEN_ALLOW
#define DENY(what) .does = (what), .then = THEN_DENY
#define ASK(what) .does = (what), .then = THEN_APPROVE, .approve_of = 1

#define NAMED(s) .name = S(s)
#define TO(s) .to = T(s), .to_count = 1
#define READS(s) {.name = S(s), .is_read = true}
#define WRITES(s) {.name = S(s), .is_written = true}
#define READS_IN(in, s)                                                        \
	{                                                                      \
		.schema = S(in),                              \
		.name = S(s), .is_read = true                  \
	}
#define CTE(s)                                                                 \
	{                                                                      \
		.name = S(s), .is_read = true, .is_cte = true  \
	}

struct decided {
	const char *what;
	struct rule rules[4];
	uint64_t operations, traits;
	struct relation_use relations[4];
	enum then want;
	const char *rule; /* the deciding one; NULL: none */
};

/* A small catalogue: public has customers, orders, twin; audit has log, twin;
 * nobody knows any other. */
static size_t
resolve(void *context, struct text schema, struct text name,
    struct text *schemas_out, size_t max)
{
	static const char *const tables[][2] = {{"public", "customers"},
	    {"public", "orders"}, {"public", "twin"}, {"audit", "twin"},
	    {"audit", "log"}};
	size_t count = 0, i;

	(void)context;
	for (i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		if (!text_is(name, text_of(tables[i][1])) ||
		    (schema.len > 0 &&
			!text_is(schema, text_of(tables[i][0]))))
			continue;
		if (count < max)
			schemas_out[count] = text_of(tables[i][0]);
		count++;
	}
	return count;
}

/* --- the table ----------------------------------------------------------- */

static const struct decided decided[] = {
    {"nothing speaks for it", NO_RULE, BIT(OP_SELECT), 0, NONE, THEN_DENY,
	NULL},
    {"an allow is enough", {{NAMED("r"), ALLOW(READ_OPS)}}, BIT(OP_SELECT), 0,
	{READS("orders")}, THEN_ALLOW, "r"},
    {"an allow without does allows everything known", {{NAMED("r"), ALLOW(0)}},
	BIT(OP_DROP), 0, {WRITES("orders")}, THEN_ALLOW, "r"},
    {"deny wins over allow", {{NAMED("a"), ALLOW(0)}, {NAMED("d"), DENY(DML)}},
	BIT(OP_DELETE), 0, {WRITES("orders")}, THEN_DENY, "d"},
    {"deny wins whatever the order",
	{{NAMED("d"), DENY(DML)}, {NAMED("a"), ALLOW(0)}}, BIT(OP_DELETE), 0,
	{WRITES("orders")}, THEN_DENY, "d"},
    {"approve wins over allow",
	{{NAMED("a"), ALLOW(0)}, {NAMED("p"), ASK(DML)}}, BIT(OP_DELETE), 0,
	{WRITES("orders")}, THEN_APPROVE, "p"},
    {"deny wins over approve",
	{{NAMED("p"), ASK(0)}, {NAMED("d"), DENY(0)}}, BIT(OP_DELETE), 0,
	{WRITES("orders")}, THEN_DENY, "d"},
    {"one operation denied denies a statement of two",
	{{NAMED("a"), ALLOW(0)}, {NAMED("d"), DENY(BIT(OP_DELETE))}},
	BIT(OP_SELECT) | BIT(OP_DELETE), 0, {WRITES("orders")}, THEN_DENY,
	"d"},
    {"every operation must be allowed",
	{{NAMED("a"), ALLOW(BIT(OP_SELECT))}},
	BIT(OP_SELECT) | BIT(OP_DELETE), 0,
	{READS("customers"), WRITES("orders")}, THEN_DENY, NULL},
    {"two rules may allow one each",
	{{NAMED("a"), ALLOW(BIT(OP_SELECT))}, {NAMED("b"), ALLOW(DML)}},
	BIT(OP_SELECT) | BIT(OP_DELETE), 0,
	{READS("customers"), WRITES("orders")}, THEN_ALLOW, "a"},
    {"observe decides nothing",
	{{NAMED("o"), .then = THEN_OBSERVE}, {NAMED("a"), ALLOW(0)}},
	BIT(OP_SELECT), 0, {READS("orders")}, THEN_ALLOW, "a"},
    {"observe alone is nothing", {{NAMED("o"), .then = THEN_OBSERVE}},
	BIT(OP_SELECT), 0, {READS("orders")}, THEN_DENY, NULL},

    /* unknown */
    {"unknown is not allowed by a rule for everything",
	{{NAMED("a"), ALLOW(0)}}, BIT(OP_UNKNOWN), 0, NONE, THEN_DENY, NULL},
    {"no operation at all is unknown", {{NAMED("a"), ALLOW(0)}}, 0, 0, NONE,
	THEN_DENY, NULL},
    {"unknown is allowed by its name",
	{{NAMED("a"), ALLOW(BIT(OP_UNKNOWN))}}, BIT(OP_UNKNOWN), 0, NONE,
	THEN_ALLOW, "a"},
    {"unknown beside a known one is unknown",
	{{NAMED("a"), ALLOW(0)}}, BIT(OP_UNKNOWN) | BIT(OP_SELECT), 0, NONE,
	THEN_DENY, NULL},
    {"unknown is not asked about by a rule for everything",
	{{NAMED("p"), ASK(0)}}, BIT(OP_UNKNOWN), 0, NONE, THEN_DENY, NULL},
    {"unknown is denied although another operation is asked about",
	{{NAMED("p"), ASK(DML)}}, BIT(OP_UNKNOWN) | BIT(OP_DELETE), 0,
	{WRITES("orders")}, THEN_DENY, NULL},
    {"unknown is asked about by its name",
	{{NAMED("p"), ASK(BIT(OP_UNKNOWN))}}, BIT(OP_UNKNOWN), 0, NONE,
	THEN_APPROVE, "p"},
    {"deny of everything denies what is unknown, too",
	{{NAMED("a"), ALLOW(BIT(OP_UNKNOWN))}, {NAMED("d"), DENY(0)}},
	BIT(OP_UNKNOWN), 0, NONE, THEN_DENY, "d"},

    /* to */
    {"to allows what it names",
	{{NAMED("a"), ALLOW(READ_OPS), TO("public.*")}}, BIT(OP_SELECT), 0,
	{READS("orders"), READS("customers")}, THEN_ALLOW, "a"},
    {"to does not allow what it does not name",
	{{NAMED("a"), ALLOW(READ_OPS), TO("public.*")}}, BIT(OP_SELECT), 0,
	{READS("orders"), READS("log")}, THEN_DENY, NULL},
    {"relations may be allowed by one rule each",
	{{NAMED("a"), ALLOW(READ_OPS), TO("public.*")},
	    {NAMED("b"), ALLOW(READ_OPS), TO("audit.*")}},
	BIT(OP_SELECT), 0, {READS("orders"), READS("log")}, THEN_ALLOW, "a"},
    {"a name in two schemas is allowed only in both",
	{{NAMED("a"), ALLOW(READ_OPS), TO("public.*")}}, BIT(OP_SELECT), 0,
	{READS("twin")}, THEN_DENY, NULL},
    {"a name in two schemas is denied for either",
	{{NAMED("a"), ALLOW(0)}, {NAMED("d"), DENY(0), TO("audit.*")}},
	BIT(OP_SELECT), 0, {READS("twin")}, THEN_DENY, "d"},
    {"a qualified name is in one schema",
	{{NAMED("a"), ALLOW(READ_OPS), TO("public.*")}}, BIT(OP_SELECT), 0,
	{READS_IN("public", "twin")}, THEN_ALLOW, "a"},
    {"an unknown name is not allowed by a schema",
	{{NAMED("a"), ALLOW(READ_OPS), TO("public.*")}}, BIT(OP_SELECT), 0,
	{READS("ghost")}, THEN_DENY, NULL},
    {"an unknown name is not allowed by its own name",
	{{NAMED("a"), ALLOW(READ_OPS), TO("ghost")}}, BIT(OP_SELECT), 0,
	{READS("ghost")}, THEN_DENY, NULL},
    {"an unknown name is allowed by a star",
	{{NAMED("a"), ALLOW(READ_OPS), TO("*")}}, BIT(OP_SELECT), 0,
	{READS("ghost")}, THEN_ALLOW, "a"},
    {"an unknown name is allowed by a star dot star",
	{{NAMED("a"), ALLOW(READ_OPS), TO("*.*")}}, BIT(OP_SELECT), 0,
	{READS("ghost")}, THEN_ALLOW, "a"},
    {"an unknown name is denied by its bare name",
	{{NAMED("a"), ALLOW(0)}, {NAMED("d"), DENY(0), TO("audit.gh*")}},
	BIT(OP_SELECT), 0, {READS("ghost")}, THEN_DENY, "d"},
    {"an unknown qualified name is denied by its schema",
	{{NAMED("a"), ALLOW(0)}, {NAMED("d"), DENY(0), TO("hidden.*")}},
	BIT(OP_SELECT), 0, {READS_IN("hidden", "ghost")}, THEN_DENY, "d"},
    {"an unknown qualified name is not denied by another schema",
	{{NAMED("a"), ALLOW(0)}, {NAMED("d"), DENY(0), TO("audit.ghost")}},
	BIT(OP_SELECT), 0, {READS_IN("hidden", "ghost")}, THEN_ALLOW, "a"},
    {"to with one part is a table in any schema",
	{{NAMED("a"), ALLOW(0)}, {NAMED("d"), DENY(0), TO("log")}},
	BIT(OP_SELECT), 0, {READS_IN("audit", "log")}, THEN_DENY, "d"},
    {"to does not allow an operation without a relation",
	{{NAMED("a"), ALLOW(0), TO("*")}}, BIT(OP_SET), 0, NONE, THEN_DENY,
	NULL},
    {"reading is judged on what is read",
	{{NAMED("r"), ALLOW(READ_OPS), TO("public.*")},
	    {NAMED("w"), ALLOW(DML), TO("audit.*")}},
	BIT(OP_SELECT) | BIT(OP_INSERT), 0, {READS("orders"), WRITES("log")},
	THEN_ALLOW, "r"},
    {"writing is not allowed by a rule for reading",
	{{NAMED("r"), ALLOW(READ_OPS), TO("*")},
	    {NAMED("w"), ALLOW(DML), TO("public.*")}},
	BIT(OP_SELECT) | BIT(OP_INSERT), 0, {READS("orders"), WRITES("log")},
	THEN_DENY, NULL},
    {"deny of writing a relation lets it be read",
	{{NAMED("a"), ALLOW(0)}, {NAMED("d"), DENY(DML), TO("audit.*")}},
	BIT(OP_SELECT) | BIT(OP_INSERT), 0, {READS("log"), WRITES("orders")},
	THEN_ALLOW, "a"},
    {"deny without does denies however it is touched",
	{{NAMED("a"), ALLOW(0)}, {NAMED("d"), DENY(0), TO("audit.*")}},
	BIT(OP_INSERT), 0, {READS("log"), WRITES("orders")}, THEN_DENY, "d"},
    {"a relation read by a write must be readable",
	{{NAMED("w"), ALLOW(DML), TO("public.*")}}, BIT(OP_INSERT), 0,
	{READS("log"), WRITES("orders")}, THEN_DENY, NULL},
    {"a relation read by a write is denied to who may not read it",
	{{NAMED("a"), ALLOW(0)}, {NAMED("d"), DENY(READ_OPS), TO("audit.*")}},
	BIT(OP_INSERT), 0, {READS("log"), WRITES("orders")}, THEN_DENY, "d"},
    {"a WITH query is no relation",
	{{NAMED("a"), ALLOW(READ_OPS), TO("public.orders")}}, BIT(OP_SELECT),
	0, {READS("orders"), CTE("recent")}, THEN_ALLOW, "a"},
    {"a WITH query with a table's name is that table",
	{{NAMED("a"), ALLOW(READ_OPS), TO("public.orders")}}, BIT(OP_SELECT),
	0, {READS("orders"), CTE("customers")}, THEN_DENY, NULL},

    /* has, lacks, on, who */
    {"lacks holds where the trait is not",
	{{NAMED("a"), ALLOW(0)},
	    {NAMED("p"), ASK(DML), .lacks = BIT(TRAIT_WHERE)}},
	BIT(OP_DELETE), 0, {WRITES("orders")}, THEN_APPROVE, "p"},
    {"lacks does not hold where the trait is",
	{{NAMED("a"), ALLOW(0)},
	    {NAMED("p"), ASK(DML), .lacks = BIT(TRAIT_WHERE)}},
	BIT(OP_DELETE), BIT(TRAIT_WHERE), {WRITES("orders")}, THEN_ALLOW,
	"a"},
    {"has holds for any of its traits",
	{{NAMED("a"), ALLOW(0)},
	    {NAMED("d"), DENY(0),
		.has = BIT(TRAIT_STAR) | BIT(TRAIT_MULTI)}},
	BIT(OP_SELECT), BIT(TRAIT_MULTI), {READS("orders")}, THEN_DENY, "d"},
    {"a rule for another upstream is not meant",
	{{NAMED("a"), ALLOW(0)},
	    {NAMED("d"), DENY(0),
		.on = {.upstream = T("other"), .upstream_count = 1}}},
	BIT(OP_SELECT), 0, {READS("orders")}, THEN_ALLOW, "a"},
    {"a rule for this upstream is meant",
	{{NAMED("a"), ALLOW(0)},
	    {NAMED("d"), DENY(0),
		.on = {.upstream = T2("other", "sh*"), .upstream_count = 2}}},
	BIT(OP_SELECT), 0, {READS("orders")}, THEN_DENY, "d"},
    {"a rule for another user is not meant",
	{{NAMED("a"), ALLOW(0)},
	    {NAMED("d"), DENY(0), .who = {.user = T("bob"), .user_count = 1}}},
	BIT(OP_SELECT), 0, {READS("orders")}, THEN_ALLOW, "a"},
};

static struct arena *arena;

static void
setup(void)
{
	arena = arena_new(0);
}

static void
teardown(void)
{
	arena_free(arena);
}

static const struct identity alice = {
    .user = {"alice", 5}, .agent = {"copilot", 7}, .client = {"unix", 4}};

static const struct label labels[] = {
    {{"environment", 11}, {"production", 10}}, {{"region", 6}, {"eu", 2}}};

static const struct place shop = {
    .upstream = {"shop", 4},
    .database = {"main", 4},
    .labels = labels,
    .label_count = 2,
};

static size_t
rules_in(const struct rule *rules, size_t most)
{
	size_t count = 0;

	while (count < most && rules[count].name.len > 0)
		count++;
	return count;
}

static enum err
decide(struct rule *rules, size_t count, const struct statement *s, time_t now,
    struct verdict *out)
{
	struct policy p = {.rules = rules, .rule_count = count};
	struct docket *d = docket_new(&p, &alice, &shop);
	struct verdict same;
	enum err docketed, e;

	ck_assert_ptr_nonnull(d);
	docketed = docket_decide(d, s, now, resolve, NULL, arena, &same);
	e = policy_decide(
	    &p, &alice, &shop, s, now, resolve, NULL, arena, out);
	docket_free(d);
	if (e == ERR_MEMORY || docketed == ERR_MEMORY)
		return docketed != ERR_NONE ? (*out = same, docketed) : e;
	/* every test here is one of both ways to decide */
	ck_assert_int_eq(docketed, e);
	ck_assert_int_eq(same.decision, out->decision);
	ck_assert_ptr_eq(same.rule, out->rule);
	ck_assert(text_is(same.reason, out->reason));
	ck_assert_uint_eq(same.matched_count, out->matched_count);
	ck_assert_mem_eq(&same.limits, &out->limits, sizeof(same.limits));
	ck_assert(same.matched_count == 0 ||
	    memcmp(same.matched, out->matched,
		same.matched_count * sizeof(*same.matched)) == 0);
	return e;
}

START_TEST(decision_is_the_strictest)
{
	const struct decided *d = &decided[_i];
	struct rule rules[4];
	struct relation_use relations[4];
	struct statement s = {.operations = d->operations,
	    .traits = d->traits,
	    .relations = relations};
	struct verdict v;

	memcpy(rules, d->rules, sizeof(rules));
	memcpy(relations, d->relations, sizeof(relations));
	while (s.relation_count < 4 && relations[s.relation_count].name.len > 0)
		s.relation_count++;
	ck_assert_int_eq(
	    decide(rules, rules_in(rules, 4), &s, 0, &v), ERR_NONE);
	ck_assert_msg(v.decision == d->want, "%s: got %d because %.*s", d->what,
	    (int)v.decision, (int)v.reason.len, v.reason.at);
	ck_assert_uint_gt(v.reason.len, 0);
	ck_assert_msg((v.rule == NULL) == (d->rule == NULL), "%s", d->what);
	if (d->rule != NULL)
		ck_assert_msg(
		    text_is(v.rule->name, text_of(d->rule)), "%s", d->what);
}
END_TEST

/* --- labels -------------------------------------------------------------- */

static const struct labelled {
	struct label wanted[3];
	size_t count;
	bool matches;
} labelled[] = {
    {{{{"environment", 11}, {"production", 10}}}, 1, true},
    {{{{"environment", 11}, {"prod*", 5}}}, 1, true},
    {{{{"environment", 11}, {"staging", 7}}}, 1, false},
    {{{{"environment", 11}, {"staging", 7}},
	 {{"environment", 11}, {"production", 10}}},
	2, true},
    {{{{"environment", 11}, {"production", 10}}, {{"region", 6}, {"us", 2}}},
	2, false},
    {{{{"environment", 11}, {"production", 10}}, {{"region", 6}, {"eu", 2}}},
	2, true},
    {{{{"tier", 4}, {"*", 1}}}, 1, false},
};

START_TEST(every_label_named_must_hold)
{
	struct label wanted[3];
	struct rule r = {NAMED("r"), ALLOW(0),
	    .on = {.labels = wanted, .label_count = labelled[_i].count}};
	struct statement s = {.operations = BIT(OP_SELECT)};
	struct verdict v;

	memcpy(wanted, labelled[_i].wanted, sizeof(wanted));
	ck_assert_int_eq(decide(&r, 1, &s, 0, &v), ERR_NONE);
	ck_assert_int_eq(v.decision == THEN_ALLOW, labelled[_i].matches);
}
END_TEST

/* --- patterns ------------------------------------------------------------ */

static enum then
decide_pattern(const char *pattern, const char *sql, enum err want)
{
	struct rule rules[2] = {{NAMED("a"), ALLOW(0)},
	    {NAMED("d"), DENY(0), .matches = text_of(pattern)}};
	struct statement s = {
	    .operations = BIT(OP_SELECT), .canonical = text_of(sql)};
	const char *message;
	struct verdict v;

	ck_assert_int_eq(pattern_new(rules[1].matches, arena,
			     &rules[1].pattern, &message),
	    ERR_NONE);
	ck_assert_int_eq(decide(rules, 2, &s, 0, &v), want);
	pattern_free(rules[1].pattern);
	return v.decision;
}

START_TEST(matches_is_a_condition)
{
	ck_assert_int_eq(
	    decide_pattern("pg_sleep", "select pg_sleep ( ? )", ERR_NONE),
	    THEN_DENY);
	ck_assert_int_eq(
	    decide_pattern("pg_sleep", "select now ( )", ERR_NONE),
	    THEN_ALLOW);
}
END_TEST

START_TEST(statement_with_regex_error_is_denied)
{
	/* many ways to fail: the match limit comes first */
	char subject[64];

	memset(subject, 'a', sizeof(subject));
	subject[63] = '\0';
	ck_assert_int_eq(
	    decide_pattern("^(a+)+$(?<!a)", subject, ERR_REGEX), THEN_DENY);
}
END_TEST

/* What a refusal says of statements and functions that nobody knows. */
static const struct {
	const char *canonical, *function;
	uint64_t operations, traits;
	struct rule rule;
	const char *reason;
} reasons[] = {
    {"slect ?", "", BIT(OP_UNKNOWN), 0, {NAMED("a"), ALLOW(0)},
	"\"slect\" is no statement"},
    {"slect a from t", "", BIT(OP_UNKNOWN), 0, {NAMED("a"), ALLOW(0)},
	"\"slect a\" is no statement"},
    {"slect", "", BIT(OP_UNKNOWN), 0, {NAMED("a"), ALLOW(0)},
	"\"slect\" is no statement"},
    {"'?' ?", "", BIT(OP_UNKNOWN), 0, {NAMED("a"), ALLOW(0)}, "nobody knows"},
    {"sl%ct a", "", BIT(OP_UNKNOWN), 0, {NAMED("a"), ALLOW(0)},
	"nobody knows"},
    {"", "", BIT(OP_UNKNOWN), 0, {NAMED("a"), ALLOW(0)}, "nobody knows"},
    {"select ? ; foo", "", BIT(OP_UNKNOWN) | BIT(OP_SELECT), 0,
	{NAMED("a"), ALLOW(0)}, "nobody knows"},
    {"select", "dblink", BIT(OP_SELECT), BIT(TRAIT_ESCAPING_FUNCTION),
	{NAMED("a"), ALLOW(0)}, "calls dblink(), which reaches past"},
    {"select", "f", BIT(OP_SELECT), BIT(TRAIT_UNKNOWN_FUNCTION),
	{NAMED("a"), DENY(0), .has = BIT(TRAIT_UNKNOWN_FUNCTION)},
	"denied by rule \"a\": it calls f()"},
    {"select", "f", BIT(OP_SELECT), BIT(TRAIT_UNKNOWN_FUNCTION),
	{NAMED("a"), DENY(0)}, "denied by rule \"a\""},
};

START_TEST(refusal_names_what_nobody_knows)
{
	struct statement s = {.canonical = text_of(reasons[_i].canonical),
	    .function = text_of(reasons[_i].function),
	    .operations = reasons[_i].operations,
	    .traits = reasons[_i].traits};
	struct rule rule = reasons[_i].rule;
	struct text want = text_of(reasons[_i].reason);
	struct verdict v;

	ck_assert_int_eq(decide(&rule, 1, &s, 0, &v), ERR_NONE);
	ck_assert_int_eq(v.decision, THEN_DENY);
	ck_assert_msg(
	    memmem(v.reason.at, v.reason.len, want.at, want.len) != NULL,
	    "%.*s", (int)v.reason.len, v.reason.at);
}
END_TEST

START_TEST(pattern_that_was_not_compiled_is_a_denial)
{
	struct rule r = {NAMED("a"), ALLOW(0), .matches = TEXT("x")};
	struct statement s = {.operations = BIT(OP_SELECT)};
	struct verdict v;

	ck_assert_int_eq(decide(&r, 1, &s, 0, &v), ERR_REGEX);
	ck_assert_int_eq(v.decision, THEN_DENY);
}
END_TEST

START_TEST(memory_that_is_out_is_a_denial)
{
	struct arena *all = arena;
	struct rule r = {NAMED("a"), ALLOW(0), TO("public.*")};
	struct relation_use use = READS("orders");
	struct statement s = {.operations = BIT(OP_SELECT),
	    .relations = &use,
	    .relation_count = 1};
	struct verdict v;
	size_t ceiling;

	for (ceiling = 16; ceiling < 512; ceiling += 16) {
		arena = arena_new(ceiling);
		if (decide(&r, 1, &s, 0, &v) == ERR_NONE)
			ck_assert_int_eq(v.decision, THEN_ALLOW);
		else
			ck_assert_int_eq(v.decision, THEN_DENY);
		ck_assert_uint_gt(v.reason.len, 0);
		arena_free(arena);
	}
	arena = all;
	ck_assert_int_eq(decide(&r, 1, &s, 0, &v), ERR_NONE);
	ck_assert_int_eq(v.decision, THEN_ALLOW);
}
END_TEST

/* --- limits -------------------------------------------------------------- */

START_TEST(limits_are_the_tightest_of_all_that_match)
{
	struct rule rules[4] = {
	    {NAMED("a"), ALLOW(0), .limits = {.rows = 100, .seconds = 5}},
	    {NAMED("b"), ALLOW(READ_OPS),
		.limits = {.rows = 50, .statements_per_minute = 9}},
	    {NAMED("c"), ALLOW(DML), .limits = {.rows = 1}},
	    {NAMED("o"), .then = THEN_OBSERVE, .limits = {.rows = 2}}};
	struct statement s = {.operations = BIT(OP_SELECT)};
	struct verdict v;

	ck_assert_int_eq(decide(rules, 4, &s, 0, &v), ERR_NONE);
	ck_assert_uint_eq(v.limits.rows, 50);
	ck_assert_uint_eq(v.limits.seconds, 5);
	ck_assert_uint_eq(v.limits.statements_per_minute, 9);
	ck_assert_uint_eq(v.limits.changed_rows, 0);
	ck_assert_uint_eq(v.matched_count, 3);
}
END_TEST

START_TEST(of_two_approvals_the_one_that_needs_more_people_counts)
{
	struct rule rules[2] = {{NAMED("a"), ASK(0)}, {NAMED("b"), ASK(0)}};
	struct statement s = {.operations = BIT(OP_SELECT)};
	struct verdict v;

	rules[1].approve_of = 2;
	ck_assert_int_eq(decide(rules, 2, &s, 0, &v), ERR_NONE);
	ck_assert_ptr_eq(v.rule, &rules[1]);
}
END_TEST

START_TEST(stricter_of_two_verdicts_wins_and_limits_tighten)
{
	struct verdict v = {.decision = THEN_ALLOW, .limits = {.rows = 10}};
	struct verdict deny = {.decision = THEN_DENY,
	    .reason = TEXT("no"),
	    .limits = {.seconds = 3}};
	struct verdict allow = {.decision = THEN_ALLOW, .limits = {.rows = 5}};

	verdict_tighten(&v, &allow);
	ck_assert_int_eq(v.decision, THEN_ALLOW);
	ck_assert_uint_eq(v.limits.rows, 5);
	verdict_tighten(&v, &deny);
	ck_assert_int_eq(v.decision, THEN_DENY);
	ck_assert(text_is(v.reason, TEXT("no")));
	ck_assert_uint_eq(v.limits.rows, 5);
	ck_assert_uint_eq(v.limits.seconds, 3);
	verdict_tighten(&v, &allow);
	ck_assert_int_eq(v.decision, THEN_DENY);
}
END_TEST

/* --- names --------------------------------------------------------------- */

static const struct globbed {
	const char *glob, *schema, *name;
	bool matches;
} globbed[] = {
    {"public.orders", "public", "orders", true},
    {"public.*", "public", "orders", true},
    {"*.orders", "public", "orders", true},
    {"orders", "public", "orders", true},
    {"*", "public", "orders", true},
    {"pub*.ord?rs", "public", "orders", true},
    {"public.orders", "public", "order", false},
    {"public.*", "publi", "corders", false},
    {"public*", "public", "orders", false},
    {"*orders", "public", "orders", true},
    {"public.orders", "Public", "orders", false},
};

START_TEST(glob_parts_do_not_cross_the_dot)
{
	const struct globbed *g = &globbed[_i];

	ck_assert_int_eq(policy_glob_matches(text_of(g->glob),
			     text_of(g->schema), text_of(g->name)),
	    g->matches);
}
END_TEST

START_TEST(without_a_catalogue_unqualified_is_public)
{
	struct text schema;

	ck_assert_uint_eq(policy_resolve_public(NULL, TEXT(""), TEXT("t"),
			      &schema, 1), 1);
	ck_assert(text_is(schema, TEXT("public")));
	ck_assert_uint_eq(policy_resolve_public(NULL, TEXT("s"), TEXT("t"),
			      &schema, 1), 1);
	ck_assert(text_is(schema, TEXT("s")));
}
END_TEST

static size_t
resolve_many(void *context, struct text schema, struct text name,
    struct text *schemas_out, size_t max)
{
	size_t i;

	(void)context;
	(void)schema;
	(void)name;
	for (i = 0; i < max; i++)
		schemas_out[i] = TEXT("public");
	return max + 1;
}

START_TEST(candidates_that_do_not_fit_count_against_the_statement)
{
	struct rule rules[2] = {{NAMED("a"), ALLOW(0), TO("public.*")},
	    {NAMED("d"), DENY(0), TO("audit.orders")}};
	struct policy p = {.rules = rules, .rule_count = 1};
	struct relation_use use = READS("orders");
	struct statement s = {.operations = BIT(OP_SELECT),
	    .relations = &use,
	    .relation_count = 1};
	struct verdict v;

	ck_assert_int_eq(policy_decide(&p, &alice, &shop, &s, 0, resolve_many,
			     NULL, arena, &v), ERR_NONE);
	ck_assert_int_eq(v.decision, THEN_DENY);
	rules[0].to = T("*.orders");
	ck_assert_int_eq(policy_decide(&p, &alice, &shop, &s, 0, resolve_many,
			     NULL, arena, &v), ERR_NONE);
	ck_assert_int_eq(v.decision, THEN_ALLOW);
	p.rule_count = 2;
	ck_assert_int_eq(policy_decide(&p, &alice, &shop, &s, 0, resolve_many,
			     NULL, arena, &v), ERR_NONE);
	ck_assert_int_eq(v.decision, THEN_DENY);
}
END_TEST

/* --- when ---------------------------------------------------------------- */

#define MONDAY 1704067200 /* 2024-01-01 00:00 UTC */
#define HOUR 3600
#define DAY (24 * HOUR)

static struct hours office[] = {{8 * 60, 18 * 60}};
static struct hours night[] = {{22 * 60, 6 * 60}};
static struct offset utc[] = {{0, 0}};
static struct offset berlin[] = {
    {0, 3600}, {1711846800, 7200}, {1729990800, 3600}};

static const struct when weekdays = {.days = 0x1f,
    .hours = office, .hours_count = 1, .offsets = utc, .offset_count = 1};
static const struct when friday_night = {.days = 0x10,
    .hours = night, .hours_count = 1, .offsets = utc, .offset_count = 1};
static const struct when weekend = {
    .days = 0x60, .offsets = utc, .offset_count = 1};
static const struct when in_berlin = {.days = WHEN_DAYS,
    .hours = office, .hours_count = 1, .offsets = berlin, .offset_count = 3};

static const struct moment {
	const struct when *when;
	int64_t at;
	bool holds;
} moments[] = {
    {NULL, 0, true},
    {&weekdays, MONDAY + 8 * HOUR, true},
    {&weekdays, MONDAY + 8 * HOUR - 1, false},
    {&weekdays, MONDAY + 18 * HOUR - 1, true},
    {&weekdays, MONDAY + 18 * HOUR, false},
    {&weekdays, MONDAY + 4 * DAY + 12 * HOUR, true},
    {&weekdays, MONDAY + 5 * DAY + 12 * HOUR, false},
    {&weekdays, MONDAY + 6 * DAY + 12 * HOUR, false},
    {&friday_night, MONDAY + 4 * DAY + 23 * HOUR, true},
    {&friday_night, MONDAY + 5 * DAY + 5 * HOUR, true},
    {&friday_night, MONDAY + 5 * DAY + 6 * HOUR, false},
    {&friday_night, MONDAY + 4 * DAY + 5 * HOUR, false},
    {&friday_night, MONDAY + 5 * DAY + 23 * HOUR, false},
    {&weekend, MONDAY - 1, true},
    {&weekend, MONDAY, false},
    {&weekend, -4 * DAY, true}, /* 1969-12-28 was a Sunday */
    {&weekend, -3 * DAY, false},
    {&in_berlin, MONDAY + 7 * HOUR, true}, /* winter: UTC+1 */
    {&in_berlin, MONDAY + 6 * HOUR, false},
    {&in_berlin, 1720000800, true},	/* 2024-07-03 10:00 UTC */
    {&in_berlin, 1719986400, true},	/* 2024-07-03 06:00 UTC: 8:00 */
    {&in_berlin, 1719986399, false},
    {&in_berlin, 1720022400, false},	/* 16:00 UTC: 18:00 */
};

START_TEST(when_holds_in_its_days_hours_and_zone)
{
	const struct moment *m = &moments[_i];

	ck_assert_int_eq(when_holds(m->when, (time_t)m->at), m->holds);
}
END_TEST

START_TEST(when_is_a_condition)
{
	struct when when = weekdays;
	struct rule r = {NAMED("a"), ALLOW(0), .when = &when};
	struct statement s = {.operations = BIT(OP_SELECT)};
	struct verdict v;

	ck_assert_int_eq(
	    decide(&r, 1, &s, MONDAY + 9 * HOUR, &v), ERR_NONE);
	ck_assert_int_eq(v.decision, THEN_ALLOW);
	ck_assert_int_eq(
	    decide(&r, 1, &s, MONDAY + 19 * HOUR, &v), ERR_NONE);
	ck_assert_int_eq(v.decision, THEN_DENY);
}
END_TEST

/* More rules than fit one word of a docket's sets, each fifth of another
 * person's, in another place, on another table, or about other operations. */
START_TEST(docket_of_many_rules_leaves_out_none_that_matches)
{
	struct rule rules[200] = {0};
	struct relation_use use = READS("orders");
	struct statement s = {.operations = BIT(OP_SELECT),
	    .relations = &use,
	    .relation_count = 1};
	static struct text bob[] = {{"bob", 3}};
	static struct text elsewhere[] = {{"elsewhere", 9}};
	static struct text others[] = {{"public.customers", 16}, {"o.*", 3}};
	struct verdict v;
	size_t i;

	for (i = 0; i < 200; i++)
		rules[i] = (struct rule){
		    NAMED("r"), .then = i == 0 ? THEN_ALLOW : THEN_OBSERVE};
	for (i = 5; i < 200; i += 5) {
		struct rule *r = &rules[i];

		r->who.user = i % 4 == 0 ? bob : NULL;
		r->who.user_count = i % 4 == 0;
		r->on.upstream = i % 4 == 1 ? elsewhere : NULL;
		r->on.upstream_count = i % 4 == 1;
		r->to = i % 4 == 2 ? others : NULL;
		r->to_count = i % 4 == 2 ? 2 : 0;
		r->does = i % 4 == 3 ? BIT(OP_DROP) : 0;
	}
	ck_assert_int_eq(decide(rules, 200, &s, 0, &v), ERR_NONE);
	ck_assert_int_eq(v.decision, THEN_ALLOW);
	ck_assert_uint_eq(v.matched_count, 161);
}
END_TEST

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

int
main(void)
{
	Suite *suite = suite_create("policy_decide");
	TCase *c = tcase_create("all");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_loop_test(c, decision_is_the_strictest, 0, COUNT(decided));
	tcase_add_loop_test(
	    c, every_label_named_must_hold, 0, COUNT(labelled));
	tcase_add_test(c, matches_is_a_condition);
	tcase_add_test(c, statement_with_regex_error_is_denied);
	tcase_add_loop_test(c, refusal_names_what_nobody_knows, 0,
	    (int)(sizeof(reasons) / sizeof(reasons[0])));
	tcase_add_test(c, pattern_that_was_not_compiled_is_a_denial);
	tcase_add_test(c, memory_that_is_out_is_a_denial);
	tcase_add_test(c, limits_are_the_tightest_of_all_that_match);
	tcase_add_test(
	    c, of_two_approvals_the_one_that_needs_more_people_counts);
	tcase_add_test(c, stricter_of_two_verdicts_wins_and_limits_tighten);
	tcase_add_loop_test(
	    c, glob_parts_do_not_cross_the_dot, 0, COUNT(globbed));
	tcase_add_test(c, without_a_catalogue_unqualified_is_public);
	tcase_add_test(
	    c, candidates_that_do_not_fit_count_against_the_statement);
	tcase_add_loop_test(
	    c, when_holds_in_its_days_hours_and_zone, 0, COUNT(moments));
	tcase_add_test(c, when_is_a_condition);
	tcase_add_test(c, docket_of_many_rules_leaves_out_none_that_matches);
	suite_add_tcase(suite, c);
	return suite_run(suite);
}
