/* links: common/protection.c common/own.c common/protection_own.c common/protection_follow.c common/protection_exposing.c common/protection_touch.c common/protection_code.c common/code_calls.c common/protection_evasive.c common/mask.c common/mask_shape.c common/mask_nest.c common/mask_array.c common/mask_row.c common/mask_range.c common/mask_text.c common/mask_script.c common/mask_number.c common/mask_numeric.c common/mask_time.c common/mask_other.c common/mask_keyed.c common/siphash.c common/lexer.c common/lexer_number.c common/lexer_string.c common/lexer_unicode.c common/arena.c common/text.c common/wire.c */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/flow.h"
#include "common/protection_inner.h"
#include "tests/unit/suite.h"

/* --- a catalogue of our own ------------------------------------------------
 * customers(id, email, name), orders(id, customer_id, total),
 * emails = view of customers.email AS address, shout = upper(email),
 * ring_a <-> ring_b inherit from each other, opaque = view over a function,
 * lost = a view of a relation that is gone. */

enum {
	CUSTOMERS = 100, ORDERS, EMAILS, SHOUT, RING_A, RING_B, OPAQUE, LOST,
	GONE, PARTITION, STATS, WHOLE, OF_EMAILS, PG_CLASS = 1259
};

static struct column_source of_email = {CUSTOMERS, 2};
static struct column_source from_email = {
    CUSTOMERS, 2 | COLUMN_SOURCE_DERIVED};
static struct column_source of_address = {EMAILS, 1};
static struct column_source of_ring_a = {RING_A, 1}, of_ring_b = {RING_B, 1};
static struct column_source of_function = {0, COLUMN_SOURCE_DERIVED};
static struct column_source of_gone = {GONE, 1};
static struct column_source of_whole = {CUSTOMERS, 0};

static struct column customers[] = {
    {.name = {"id", 2}}, {.name = {"email", 5}}, {.name = {"name", 4}}};
static struct column orders[] = {{.name = {"id", 2}},
    {.name = {"customer_id", 11}}, {.name = {"total", 5}}};
static struct column emails[] = {{{"address", 7}, 25, &of_email, 1, false, false}};
static struct column shout[] = {{{"loud", 4}, 25, &from_email, 1, false, false}};
static struct column of_emails[] = {{{"a", 1}, 25, &of_address, 1, false, false}};
static struct column ring_a[] = {{{"secret", 6}, 25, &of_ring_b, 1, false, false}};
static struct column ring_b[] = {{{"other", 5}, 25, &of_ring_a, 1, false, false}};
static struct column opaque[] = {{{"x", 1}, 25, &of_function, 1, false, false}};
static struct column lost[] = {{{"x", 1}, 25, &of_gone, 1, false, false}};
static struct column partition[] = {
    {.name = {"id", 2}}, {{"email", 5}, 25, &of_email, 1, false, false}, {.name = {"", 0}}};
static struct column stats[] = {{.name = {"most_common_vals", 16}}};
static struct column classes[] = {{.name = {"relname", 7}},
    {{"relpartbound", 12}, 194, &from_email, 1, false, false}};
static struct column whole[] = {{{"n", 1}, 25, &of_whole, 1, false, false}};

#define RELATION(oid, schema, name, columns)                                   \
	{oid, {schema, sizeof(schema) - 1}, {name, sizeof(name) - 1}, 'r',     \
	    columns, sizeof(columns) / sizeof(*columns)}
static struct relation relations[] = {
    RELATION(CUSTOMERS, "public", "customers", customers),
    RELATION(ORDERS, "public", "orders", orders),
    RELATION(EMAILS, "public", "emails", emails),
    RELATION(SHOUT, "public", "shout", shout),
    RELATION(OF_EMAILS, "app", "of_emails", of_emails),
    RELATION(RING_A, "public", "ring_a", ring_a),
    RELATION(RING_B, "public", "ring_b", ring_b),
    RELATION(OPAQUE, "public", "opaque", opaque),
    RELATION(LOST, "public", "lost", lost),
    RELATION(PARTITION, "archive", "customers", partition),
    RELATION(STATS, "pg_catalog", "pg_stats", stats),
    RELATION(WHOLE, "public", "whole", whole),
    RELATION(PG_CLASS, "pg_catalog", "pg_class", classes),
};
static size_t relations_shown = sizeof(relations) / sizeof(*relations);

enum err
store_relation(struct store *s, struct text upstream, struct text database,
    uint32_t oid, struct arena *a, struct relation *out)
{
	size_t i;

	(void)s, (void)upstream, (void)database, (void)a;
	for (i = 0; i < relations_shown; i++) {
		if (relations[i].oid == oid) {
			*out = relations[i];
			return ERR_NONE;
		}
	}
	return ERR_NOT_FOUND;
}

enum err
store_relations_named(struct store *s, struct text upstream,
    struct text database, struct text name, uint32_t *oids, size_t max,
    size_t *count_out)
{
	size_t i;

	(void)s, (void)upstream, (void)database;
	*count_out = 0;
	if (text_is(name, TEXT("crowd")))
		return ERR_TOO_LONG;
	for (i = 0; i < relations_shown; i++) {
		if (text_is(relations[i].name, name) && *count_out < max)
			oids[(*count_out)++] = relations[i].oid;
	}
	return ERR_NONE;
}

/* Users' code: leak() and === read customers.email, any() reads anything,
 * free() and the cast to ticket nothing, similar() is of a trusted extension,
 * spread() stores what it reads, and lower() is a disguise. */
static struct column_source code_reads[] = {
    {CUSTOMERS, 2 | COLUMN_SOURCE_DERIVED}};
static const struct code codes[] = {
    {CODE_FUNCTION, {"leak", 4}, .is_disguise = true, .sources = code_reads,
	.source_count = 1},
    {CODE_OPERATOR, {"===", 3}, .is_disguise = true, .sources = code_reads,
	.source_count = 1},
    {CODE_FUNCTION, {"any", 3}, .is_disguise = true, .is_opaque = true},
    {CODE_FUNCTION, {"free", 4}, .is_disguise = true},
    {.kind = CODE_FUNCTION, .name = {"abs", 3}},
    {CODE_FUNCTION, {"similar", 7}, .is_trusted = true},
    {CODE_FUNCTION, {"spread", 6}, .is_disguise = true, .stores = true,
	.sources = code_reads, .source_count = 1},
    {CODE_FUNCTION, {"lower", 5}, .is_disguise = true,
	.sources = code_reads, .source_count = 1},
    {CODE_FUNCTION, {"total", 5}, .is_disguise = true,
	.sources = code_reads, .source_count = 1},
    /* triggers: the first fills rows with anything, the second stores what it
     * reads, the third only reads it; and row security that stores */
    {.kind = CODE_ROWS, .name = {"orders", 6}, .is_opaque = true},
    {.kind = CODE_TRIGGER, .name = {"shout", 5}, .stores = true,
	.sources = code_reads, .source_count = 1},
    {.kind = CODE_TRIGGER, .name = {"opaque", 6}, .sources = code_reads,
	.source_count = 1},
    {.kind = CODE_SECURITY, .name = {"emails", 6}, .stores = true,
	.sources = code_reads, .source_count = 1},
};
enum { CODES = sizeof(codes) / sizeof(*codes) };
static bool has_codes;

static int
compare_hashes(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

enum err
store_code_names(struct store *s, struct text upstream, struct text database,
    struct arena *a, uint64_t **hashes_out, size_t *count_out)
{
	size_t i;

	(void)s, (void)upstream, (void)database;
	*count_out = 0;
	if (!has_codes)
		return ERR_NOT_FOUND;
	*hashes_out = arena_array(a, CODES, sizeof(**hashes_out));
	for (i = 0; i < CODES; i++)
		(*hashes_out)[(*count_out)++] =
		    code_hash(codes[i].kind, codes[i].name);
	qsort(*hashes_out, CODES, sizeof(**hashes_out), compare_hashes);
	return ERR_NONE;
}

enum err
store_code_named(struct store *s, struct text upstream, struct text database,
    enum code_kind kind, struct text name, struct arena *a, struct code *out)
{
	size_t i;

	(void)s, (void)upstream, (void)database, (void)a;
	for (i = 0; i < CODES; i++) {
		if (codes[i].kind == kind && text_is(codes[i].name, name)) {
			*out = codes[i];
			return ERR_NONE;
		}
	}
	return ERR_NOT_FOUND;
}

enum err
protection_flow(struct protection *of, const struct statement *s,
    struct arena *a, struct flow *out)
{
	(void)of, (void)s, (void)a;
	*out = (struct flow){.is_understood = false};
	return ERR_NONE;
}

void
protection_escape(struct protection *of, const struct statement *s,
    struct touch *out)
{
	(void)of, (void)s, (void)out;
}

void
protection_brought(struct protection *of, const struct statement *s,
    struct touch *out)
{
	(void)of, (void)s, (void)out;
}

bool
who_matches(const struct who *who, const struct identity *id)
{
	return text_is(who->user[0], id->user);
}

bool
statement_mentions(const struct statement *s, struct text name)
{
	size_t i;

	for (i = 0; i < s->name_count; i++) {
		if (text_is(s->names[i], name))
			return true;
	}
	return false;
}

/* --- policy and session --------------------------------------------------- */

static struct text email_columns[] = {{"public.customers.email", 22}};
static struct text ring_columns[] = {{"ring_b.*", 8}};
static struct text carol[] = {{"carol", 5}};
static struct who clear[] = {{.user = carol, .user_count = 1}};
static struct protect protects[] = {
    {.name = {"email", 5}, .columns = email_columns, .column_count = 1,
	.mask = MASK_EMAIL, .clear_for = clear, .clear_for_count = 1},
    {.name = {"ring", 4}, .columns = ring_columns, .column_count = 1,
	.mask = MASK_LAST4, .derived = DERIVED_DENY,
	.predicates = PREDICATES_DENY, .clear_for = clear,
	.clear_for_count = 1},
    {.name = {"cards", 5}, .detectors = BIT(DETECT_CREDIT_CARD),
	.mask = MASK_LAST4, .clear_for = clear, .clear_for_count = 1},
    {.name = {"all cards", 9}, .detectors = BIT(DETECT_CREDIT_CARD),
	.mask = MASK_HASH, .clear_for = clear, .clear_for_count = 1},
};
static struct policy policy = {.protects = protects, .protect_count = 4};
static struct identity alice = {.user = {"alice", 5}};
static struct identity person = {.user = {"carol", 5}};
static char store_place;
static struct store *const store = (struct store *)(void *)&store_place;

static struct protection *p;
static struct arena *arena;

static void
setup(void)
{
	relations_shown = sizeof(relations) / sizeof(*relations);
	arena = arena_new(0);
	p = protection_new(&policy, &alice, store, TEXT("shop"), TEXT("shop"));
}

static void
teardown(void)
{
	protection_free(p);
	arena_free(arena);
}

static struct column_protection
column_of(uint32_t oid, int number)
{
	struct column_protection out;

	ck_assert_int_eq(protection_column(p, oid, number, &out), ERR_NONE);
	return out;
}

/* A statement that reads `relation` and mentions `name`. */
static struct touch
touch_of(const char *relation, const char *name, const char *canonical)
{
	struct relation_use use = {.name = text_of(relation), .is_read = true};
	struct text names[] = {text_of(name)};
	struct statement s = {.canonical = text_of(canonical),
	    .relations = &use, .relation_count = 1, .names = names,
	    .name_count = 1};
	struct touch out;

	ck_assert_int_eq(protection_touch(p, &s, arena, &out), ERR_NONE);
	return out;
}

/* --- columns -------------------------------------------------------------- */

START_TEST(identity_that_is_clear_sees_everything)
{
	struct protection *free_of = protection_new(
	    &policy, &person, store, TEXT("shop"), TEXT("shop"));
	struct column_protection out;

	ck_assert(protection_is_empty(free_of));
	ck_assert_int_eq(
	    protection_column(free_of, CUSTOMERS, 2, &out), ERR_NONE);
	ck_assert_int_eq(out.mask, MASK_NONE);
	ck_assert_uint_eq(protection_detectors(free_of), 0);
	protection_free(free_of);
}
END_TEST

START_TEST(named_column_is_masked_as_asked)
{
	ck_assert_int_eq(column_of(CUSTOMERS, 2).mask, MASK_EMAIL);
	ck_assert_ptr_eq(column_of(CUSTOMERS, 2).protect, &protects[0]);
	ck_assert(!column_of(CUSTOMERS, 2).is_derived);
	ck_assert_int_eq(column_of(CUSTOMERS, 1).mask, MASK_NONE);
	ck_assert_int_eq(column_of(ORDERS, 3).mask, MASK_NONE);
}
END_TEST

START_TEST(view_carries_protection_on)
{
	ck_assert_int_eq(column_of(EMAILS, 1).mask, MASK_EMAIL);
	ck_assert_int_eq(column_of(OF_EMAILS, 1).mask, MASK_EMAIL);
	ck_assert_int_eq(column_of(PARTITION, 2).mask, MASK_EMAIL);
	ck_assert_int_eq(column_of(PARTITION, 3).mask, MASK_NONE);
}
END_TEST

START_TEST(derived_column_is_redacted_whatever_was_asked)
{
	ck_assert_int_eq(column_of(SHOUT, 1).mask, MASK_REDACT);
	ck_assert(column_of(SHOUT, 1).is_derived);
	ck_assert(!column_of(SHOUT, 1).is_denied);
	ck_assert_int_eq(column_of(WHOLE, 1).mask, MASK_REDACT);
	ck_assert_int_eq(column_of(OPAQUE, 1).mask, MASK_REDACT);
}
END_TEST

START_TEST(cycles_end)
{
	ck_assert_int_eq(column_of(RING_A, 1).mask, MASK_LAST4);
	ck_assert_int_eq(column_of(RING_B, 1).mask, MASK_LAST4);
}
END_TEST

START_TEST(whole_row_is_derived_from_all_its_columns)
{
	ck_assert_int_eq(column_of(CUSTOMERS, 0).mask, MASK_REDACT);
	ck_assert(column_of(CUSTOMERS, 0).is_derived);
	ck_assert_int_eq(column_of(ORDERS, 0).mask, MASK_NONE);
	ck_assert(column_of(RING_B, 0).is_denied);
}
END_TEST

START_TEST(system_columns_are_never_protected)
{
	ck_assert_int_eq(column_of(CUSTOMERS, -1).mask, MASK_NONE);
	ck_assert_int_eq(column_of(CUSTOMERS, 65535).mask, MASK_NONE);
}
END_TEST

START_TEST(statistics_are_protected_from_whoever_is_masked)
{
	ck_assert_int_eq(column_of(STATS, 1).mask, MASK_REDACT);
}
END_TEST

START_TEST(what_the_catalogue_lacks_is_not_found_and_strict)
{
	static const struct {
		uint32_t oid;
		int number;
	} rows[] = {{999, 1}, {0, 1}, {CUSTOMERS, 4}, {LOST, 1}};
	struct column_protection out;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		ck_assert_int_eq(protection_column(p, rows[i].oid,
				     rows[i].number, &out),
		    ERR_NOT_FOUND);
		ck_assert_int_eq(out.mask, MASK_REDACT);
	}
}
END_TEST

START_TEST(new_reading_of_the_catalogue_is_noticed)
{
	struct column_protection out;

	relations_shown = 2;
	ck_assert_int_eq(
	    protection_column(p, EMAILS, 1, &out), ERR_NOT_FOUND);
	relations_shown = sizeof(relations) / sizeof(*relations);
	protection_sync(p, 1);
	ck_assert_int_eq(column_of(EMAILS, 1).mask, MASK_EMAIL);
	relations_shown = 2;
	ck_assert_int_eq(column_of(EMAILS, 1).mask, MASK_EMAIL);
	protection_sync(p, 2);
	ck_assert_int_eq(
	    protection_column(p, EMAILS, 1, &out), ERR_NOT_FOUND);
}
END_TEST

START_TEST(strictest_mask_of_a_detector_counts)
{
	ck_assert_uint_eq(
	    protection_detectors(p), BIT(DETECT_CREDIT_CARD));
	ck_assert_int_eq(
	    protection_detector_masks(p)[DETECT_EMAIL], MASK_NONE);
	ck_assert_int_eq(
	    protection_detector_masks(p)[DETECT_CREDIT_CARD], MASK_REDACT);
}
END_TEST

/* --- statements ----------------------------------------------------------- */

static const struct origin nowhere = {.count = 1};
static const struct origin customers_id = {CUSTOMERS, 1, 0, 1};

START_TEST(count_of_a_protected_relation_is_clean)
{
	struct touch t = touch_of("customers", "count",
	    "select count ( * ) from customers");
	struct column_protection out;

	ck_assert(t.is_protected && !t.mentions && !t.is_unknown);
	ck_assert_int_eq(protection_output(p, &t, &nowhere, &out), ERR_NONE);
	ck_assert_int_eq(out.mask, MASK_NONE);
}
END_TEST

START_TEST(mention_of_a_protected_column_masks_what_has_no_origin)
{
	struct touch t = touch_of("customers", "email",
	    "select upper ( email ) from customers");
	struct column_protection out;

	ck_assert(t.is_protected && t.mentions);
	ck_assert_ptr_eq(t.derived.protect, &protects[0]);
	ck_assert_int_eq(t.predicates, PREDICATES_EQUALITY);
	/* public.customers and archive.customers */
	ck_assert_uint_eq(t.column_count, 2);
	ck_assert(text_is(t.columns[0], TEXT("email")));
	ck_assert_int_eq(protection_output(p, &t, &nowhere, &out), ERR_NONE);
	ck_assert_int_eq(out.mask, MASK_REDACT);
	ck_assert_int_eq(
	    protection_output(p, &t, &customers_id, &out), ERR_NONE);
	ck_assert_int_eq(out.mask, MASK_NONE);
}
END_TEST

START_TEST(unprotected_relation_is_not_touched)
{
	struct touch t = touch_of("orders", "total",
	    "select upper ( total ) from orders");

	ck_assert(!t.is_protected && !t.mentions && !t.is_unknown);
}
END_TEST

START_TEST(unknown_relation_is_said_to_be_unknown)
{
	struct touch t = touch_of("novel", "x", "select x from novel");
	struct column_protection out;

	ck_assert(t.is_unknown && !t.is_protected);
	ck_assert_ptr_nonnull(t.relation);
	ck_assert_int_eq(protection_output(p, &t, &nowhere, &out), ERR_NONE);
	ck_assert_int_eq(out.mask, MASK_REDACT);
	ck_assert(touch_of("lost", "x", "select x from lost").is_unknown);
}
END_TEST

START_TEST(name_of_a_cte_is_not_unknown)
{
	struct relation_use use = {
	    .name = TEXT("w"), .is_read = true, .is_cte = true};
	struct statement s = {.relations = &use, .relation_count = 1};
	struct touch t;

	ck_assert_int_eq(protection_touch(p, &s, arena, &t), ERR_NONE);
	ck_assert(!t.is_unknown && !t.is_protected);
	use.name = TEXT("customers"); /* but this one may be the table */
	ck_assert_int_eq(protection_touch(p, &s, arena, &t), ERR_NONE);
	ck_assert(t.is_protected);
}
END_TEST

START_TEST(schema_narrows_a_name)
{
	struct relation_use use = {.schema = TEXT("archive"),
	    .name = TEXT("customers"), .is_read = true};
	struct statement s = {.relations = &use, .relation_count = 1};
	struct touch t;

	ck_assert_int_eq(protection_touch(p, &s, arena, &t), ERR_NONE);
	ck_assert_uint_eq(t.column_count, 1);
	use.schema = TEXT("nowhere");
	ck_assert_int_eq(protection_touch(p, &s, arena, &t), ERR_NONE);
	ck_assert(t.is_unknown && !t.is_protected);
}
END_TEST

START_TEST(relation_of_too_many_schemas_is_touched)
{
	struct touch t = touch_of("crowd", "x", "select x from crowd");

	ck_assert(t.is_protected && t.mentions);
	ck_assert_int_eq(t.predicates, PREDICATES_DENY);
}
END_TEST

START_TEST(no_catalogue_means_unknown_and_statistics_still_count)
{
	protection_refresh(p, NULL);
	ck_assert(touch_of("customers", "id", "").is_unknown);
	ck_assert(touch_of("pg_stats", "x", "").mentions);
}
END_TEST

START_TEST(names_are_looked_up_once_a_reading)
{
	size_t shown = relations_shown;

	protection_sync(p, 1);
	relations_shown = 0;
	ck_assert(touch_of("customers", "id", "").is_unknown);
	relations_shown = shown;
	ck_assert(touch_of("customers", "id", "").is_unknown);
	protection_sync(p, 2);
	ck_assert(touch_of("customers", "id", "").is_protected);
	relations_shown = 0;
	ck_assert(touch_of("customers", "id", "").is_protected);
	protection_sync(p, 3);
	ck_assert(touch_of("customers", "id", "").is_unknown);
	relations_shown = shown;
	protection_refresh(p, store);
	ck_assert(touch_of("customers", "id", "").is_protected);
}
END_TEST

START_TEST(more_names_than_are_remembered_are_looked_up)
{
	char name[16];
	int i;

	for (i = 0; i < 10000; i++) {
		snprintf(name, sizeof(name), "t%d", i);
		ck_assert(touch_of(name, "id", "").is_unknown);
	}
	ck_assert(touch_of("customers", "id", "").is_protected);
	ck_assert(touch_of("t1", "id", "").is_unknown);
	ck_assert(touch_of("t9999", "id", "").is_unknown);
}
END_TEST

START_TEST(bounds_of_partitions_are_protected_as_what_they_divide_by)
{
	const char *call = "pg_get_partition_constraintdef";
	struct touch t = touch_of("pg_class", "relpartbound", "");

	ck_assert(t.mentions);
	ck_assert_int_eq(t.predicates, PREDICATES_ALLOW);
	ck_assert(!touch_of("pg_class", "relname", "").mentions);
	ck_assert(touch_of("orders", call, "").mentions);
	classes[1].source_count = 0;
	protection_refresh(p, store);
	ck_assert(!touch_of("pg_class", "relpartbound", "").mentions);
	ck_assert(!touch_of("orders", call, "").mentions);
	protection_refresh(p, NULL);
	ck_assert(touch_of("orders", call, "").mentions);
}
END_TEST

START_TEST(code_that_runs_behind_a_relation_is_noted)
{
	struct relation *r = &relations[1];

	ck_assert(!touch_of("orders", "id", "").runs_inner);
	r->kind = 'v';
	protection_refresh(p, store);
	ck_assert(touch_of("orders", "id", "").runs_inner);
	r->kind = RELATION_WITH_CODE;
	protection_refresh(p, store);
	ck_assert(touch_of("orders", "id", "").runs_inner);
	r->kind = 'm'; /* which is read as a table is */
	protection_refresh(p, store);
	ck_assert(!touch_of("orders", "id", "").runs_inner);
	r->kind = 'v';
	r->schema = TEXT("pg_catalog");
	protection_refresh(p, store);
	ck_assert(!touch_of("orders", "id", "").runs_inner);
}
END_TEST

START_TEST(columns_can_be_carried_out_without_their_names)
{
	static const char *const evasive[] = {
	    /* `over` can be an alias, and this could be its columns */
	    "select sum ( id ) over ( id ) from public . customers",
	    "select a from customers as c ( x , a )",
	    "select a from customers c ( x , a )",
	    "select a from customers * c ( a )",
	    "select a from ( customers join orders using ( id ) ) as j ( a )",
	    "select 1 union table customers",
	    "select c . to_jsonb from customers c",
	    "select ( c ) . row_to_json from customers c",
	    "select \"C\" . \"to\"\"x\" from customers \"C\"",
	};
	static const char *const plain[] = {
	    "select count ( * ) from customers",
	    "select upper ( name ) from customers where ( id = ? )",
	    "select upper ( c . name ) from customers c where id in ( ? )",
	    "select cast ( ( id ) as numeric ( ?, ? ) ) from customers",
	    "select pg_catalog . lower ( name ) from customers",
	    "insert into customers ( id , name ) values ( ? , ? )",
	};
	size_t i;

	for (i = 0; i < sizeof(evasive) / sizeof(*evasive); i++)
		ck_assert_msg(touch_of("customers", "a", evasive[i]).mentions,
		    "%s", evasive[i]);
	for (i = 0; i < sizeof(plain) / sizeof(*plain); i++)
		ck_assert_msg(!touch_of("customers", "a", plain[i]).mentions,
		    "%s", plain[i]);
}
END_TEST

START_TEST(stars_and_whole_rows_and_copies_mention_all)
{
	struct relation_use use = {.name = TEXT("customers")};
	struct statement s = {.relations = &use, .relation_count = 1};
	struct touch t;

	s.traits = BIT(TRAIT_STAR);
	ck_assert_int_eq(protection_touch(p, &s, arena, &t), ERR_NONE);
	ck_assert(t.mentions);
	s.traits = BIT(TRAIT_WHOLE_ROW);
	ck_assert_int_eq(protection_touch(p, &s, arena, &t), ERR_NONE);
	ck_assert(t.mentions);
	s.traits = 0;
	s.operations = BIT(OP_COPY_OUT);
	ck_assert_int_eq(protection_touch(p, &s, arena, &t), ERR_NONE);
	ck_assert(t.mentions);
}
END_TEST

/* --- users' code ---------------------------------------------------------- */

/* A statement that reads orders; `unlisted`: a function it calls, or NULL. */
static struct touch
touch_of_code(const char *sql, const char *unlisted)
{
	static const struct lex_state state = {
	    .standard_conforming_strings = true, .is_utf8 = true};
	struct relation_use use = {.name = TEXT("orders"), .is_read = true};
	struct text name = text_of(unlisted);
	struct lexed lexed;
	struct statement s = {.canonical = text_of(sql), .relations = &use,
	    .relation_count = 1, .unlisted = &name,
	    .unlisted_count = unlisted != NULL};
	struct touch out;

	ck_assert_int_eq(
	    lexer_run(&state, text_of(sql), arena, &lexed), ERR_NONE);
	s.tokens = lexed.tokens;
	s.token_count = lexed.count;
	ck_assert_int_eq(protection_touch(p, &s, arena, &out), ERR_NONE);
	return out;
}

static const struct {
	const char *sql, *unlisted;
	bool runs, is_open, is_protected;
} code_rows[] = {
    {"select leak(1) from orders", "leak", true, false, true},
    {"select public.leak(1) from orders", "leak", true, false, true},
    {"select o.leak from orders o", NULL, true, false, true},
    {"select 1 === 2 from orders", NULL, true, false, true},
    {"select lower('x') from orders", NULL, true, false, true},
    {"select any(1) from orders", "any", true, true, false},
    {"select free(1) from orders", "free", true, false, false},
    {"select spread(1) from orders", "spread", true, false, true},
    {"select nobody(1) from orders", "nobody", true, true, false},
    /* what is left alone */
    {"select abs(1) from orders", NULL, false, false, false},
    {"select similar(1) from orders", "similar", false, false, false},
    {"select pg_catalog.lower('x') from orders", NULL, false, false, false},
    {"select o.total from orders o", NULL, false, false, false},
    {"select leak from orders", NULL, false, false, false},
    {"select 'leak(1)', 1 = 2 from orders", NULL, false, false, false},
};

START_TEST(code_is_touched_by_whatever_may_call_it)
{
	struct touch t;

	has_codes = true;
	t = touch_of_code(code_rows[_i].sql, code_rows[_i].unlisted);
	ck_assert_msg(t.is_code_known &&
		t.runs_code == code_rows[_i].runs &&
		t.is_code_open == code_rows[_i].is_open &&
		t.is_code_protected == code_rows[_i].is_protected &&
		t.is_protected == code_rows[_i].is_protected &&
		t.mentions == code_rows[_i].is_protected,
	    "%s: %d %d %d", code_rows[_i].sql, t.runs_code, t.is_code_open,
	    t.is_code_protected);
}
END_TEST

START_TEST(code_is_looked_up_once_a_reading)
{
	const char *sql = "select leak(1) from orders";

	has_codes = false;
	protection_sync(p, 1);
	ck_assert(!touch_of_code(sql, "leak").is_code_known);
	has_codes = true;
	ck_assert(!touch_of_code(sql, "leak").is_code_known);
	protection_sync(p, 2);
	ck_assert(touch_of_code(sql, "leak").is_code_protected);
	ck_assert(touch_of_code(sql, "leak").is_code_protected);
	protection_sync(p, 3);
	has_codes = false;
	ck_assert(!touch_of_code(sql, "leak").is_code_known);
}
END_TEST

START_TEST(code_that_stores_what_it_reads_is_told)
{
	has_codes = true;
	ck_assert(touch_of_code("select spread(1)", "spread").is_code_storing);
	ck_assert(!touch_of_code("select leak(1)", "leak").is_code_storing);
}
END_TEST

START_TEST(code_that_is_not_called_as_a_function_is_silent)
{
	has_codes = true;
	ck_assert(touch_of_code("select 1 === 2", NULL).is_code_silent);
	ck_assert(touch_of_code("select o.leak", NULL).is_code_silent);
	ck_assert(!touch_of_code("select leak(1)", "leak").is_code_silent);
}
END_TEST

START_TEST(without_a_catalogue_any_call_may_be_of_users_code)
{
	struct touch t;

	has_codes = false;
	t = touch_of_code("select lower('x')", NULL);
	ck_assert(!t.is_code_known && t.is_code_open && t.is_code_unseen);
	t = touch_of_code("select 1, pg_catalog.lower('x')", NULL);
	ck_assert(!t.is_code_known && !t.is_code_open && !t.is_code_unseen);
}
END_TEST

static struct touch
touch_of_write(const char *relation, bool is_written)
{
	struct relation_use use = {.name = text_of(relation),
	    .is_read = !is_written, .is_written = is_written};
	struct statement s = {.relations = &use, .relation_count = 1};
	struct touch out;

	has_codes = true;
	ck_assert_int_eq(protection_touch(p, &s, arena, &out), ERR_NONE);
	return out;
}

START_TEST(trigger_is_no_part_of_what_its_statement_reads)
{
	struct touch t = touch_of_write("opaque", true);

	ck_assert(t.runs_inner && !t.is_code_storing && !t.is_inner_open);
	ck_assert(!t.runs_code && !t.is_code_protected && !t.is_code_silent);
	ck_assert(!touch_of_write("opaque", false).runs_inner);
}
END_TEST

START_TEST(trigger_that_stores_what_it_reads_is_told_of_writes_alone)
{
	ck_assert(touch_of_write("shout", true).is_code_storing);
	ck_assert(!touch_of_write("shout", false).is_code_storing);
	ck_assert(!touch_of_write("customers", true).is_code_storing);
}
END_TEST

START_TEST(row_security_that_stores_is_told_of_reads_too)
{
	ck_assert(touch_of_write("emails", false).is_code_storing);
	ck_assert(touch_of_write("emails", true).is_code_storing);
}
END_TEST

START_TEST(rows_that_an_unreadable_trigger_may_fill_are_masked)
{
	struct touch t = touch_of_write("orders", true);
	struct origin origin = {.relation = ORDERS, .number = 1, .count = 1};
	struct column_protection out;

	ck_assert(t.fills_rows && t.runs_inner && t.is_inner_open);
	ck_assert_int_eq(protection_output(p, &t, &origin, &out), ERR_NONE);
	ck_assert_int_eq(out.mask, MASK_REDACT);
	t = touch_of_write("orders", false);
	ck_assert(!t.fills_rows && !t.is_inner_open);
	ck_assert_int_eq(protection_output(p, &t, &origin, &out), ERR_NONE);
	ck_assert_int_eq(out.mask, MASK_NONE);
}
END_TEST

START_TEST(strictest_predicates_are_those_of_all_protects)
{
	struct protection *of_carol = protection_new(
	    &policy, &person, store, TEXT("shop"), TEXT("shop"));

	ck_assert_int_eq(protection_predicates(p), PREDICATES_DENY);
	ck_assert_int_eq(protection_predicates(of_carol), PREDICATES_ALLOW);
	protection_free(of_carol);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("protection");
	TCase *tc = tcase_create("protection");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, identity_that_is_clear_sees_everything);
	tcase_add_test(tc, named_column_is_masked_as_asked);
	tcase_add_test(tc, view_carries_protection_on);
	tcase_add_test(tc, derived_column_is_redacted_whatever_was_asked);
	tcase_add_test(tc, cycles_end);
	tcase_add_test(tc, whole_row_is_derived_from_all_its_columns);
	tcase_add_test(tc, system_columns_are_never_protected);
	tcase_add_test(tc, statistics_are_protected_from_whoever_is_masked);
	tcase_add_test(tc, what_the_catalogue_lacks_is_not_found_and_strict);
	tcase_add_test(tc, new_reading_of_the_catalogue_is_noticed);
	tcase_add_test(tc, strictest_mask_of_a_detector_counts);
	tcase_add_test(tc, count_of_a_protected_relation_is_clean);
	tcase_add_test(
	    tc, mention_of_a_protected_column_masks_what_has_no_origin);
	tcase_add_test(tc, unprotected_relation_is_not_touched);
	tcase_add_test(tc, unknown_relation_is_said_to_be_unknown);
	tcase_add_test(tc, name_of_a_cte_is_not_unknown);
	tcase_add_test(tc, schema_narrows_a_name);
	tcase_add_test(tc, relation_of_too_many_schemas_is_touched);
	tcase_add_test(
	    tc, no_catalogue_means_unknown_and_statistics_still_count);
	tcase_add_test(tc, names_are_looked_up_once_a_reading);
	tcase_add_test(tc, more_names_than_are_remembered_are_looked_up);
	tcase_add_test(
	    tc, bounds_of_partitions_are_protected_as_what_they_divide_by);
	tcase_add_test(tc, code_that_runs_behind_a_relation_is_noted);
	tcase_add_test(tc, columns_can_be_carried_out_without_their_names);
	tcase_add_test(tc, stars_and_whole_rows_and_copies_mention_all);
	tcase_add_loop_test(tc, code_is_touched_by_whatever_may_call_it, 0,
	    sizeof(code_rows) / sizeof(*code_rows));
	tcase_add_test(tc, code_is_looked_up_once_a_reading);
	tcase_add_test(tc, code_that_stores_what_it_reads_is_told);
	tcase_add_test(tc, code_that_is_not_called_as_a_function_is_silent);
	tcase_add_test(
	    tc, without_a_catalogue_any_call_may_be_of_users_code);
	tcase_add_test(tc, trigger_is_no_part_of_what_its_statement_reads);
	tcase_add_test(
	    tc, trigger_that_stores_what_it_reads_is_told_of_writes_alone);
	tcase_add_test(tc, row_security_that_stores_is_told_of_reads_too);
	tcase_add_test(
	    tc, rows_that_an_unreadable_trigger_may_fill_are_masked);
	tcase_add_test(tc, strictest_predicates_are_those_of_all_protects);
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
