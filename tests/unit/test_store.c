/* links: common/store.c common/store_catalog.c common/store_code.c common/codec.c common/wire.c common/err.c common/arena.c common/text.c */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "common/store_inner.h"
#include "tests/unit/scratch.h"
#include "tests/unit/suite.h"

#define SHOP TEXT("shop"), TEXT("main")

static struct arena *arena;
static const char *folder;

static void
setup(void)
{
	arena = arena_new(0);
	scratch_make();
	folder = scratch_path("policy");
}

static void
teardown(void)
{
	scratch_remove();
	arena_free(arena);
}

static struct store *
opened(enum store_mode mode)
{
	struct store *s;

	ck_assert_int_eq(store_open(folder, mode, &s), ERR_NONE);
	return s;
}

/* --- the policy ---------------------------------------------------------- */

START_TEST(policy_comes_back_with_a_rising_generation)
{
	struct store *w = opened(STORE_WRITE), *r = opened(STORE_READ);
	uint64_t generation;
	struct text form;

	ck_assert_int_eq(
	    store_read_policy(r, arena, &form, &generation), ERR_NOT_FOUND);
	ck_assert_int_eq(
	    store_publish(w, TEXT("first"), &generation), ERR_NONE);
	ck_assert_uint_eq(generation, 1);
	ck_assert_int_eq(
	    store_publish(w, TEXT("second\0!"), &generation), ERR_NONE);
	ck_assert_uint_eq(generation, 2);
	ck_assert_int_eq(
	    store_read_policy(r, arena, &form, &generation), ERR_NONE);
	ck_assert_uint_eq(generation, 2);
	ck_assert(text_is(form, TEXT("second\0!")));
	store_close(r);
	store_close(w);
}
END_TEST

START_TEST(generation_survives_the_writer)
{
	struct store *w = opened(STORE_WRITE);
	uint64_t generation;

	ck_assert_int_eq(store_publish(w, TEXT("a"), &generation), ERR_NONE);
	store_close(w);
	w = opened(STORE_WRITE);
	ck_assert_int_eq(store_publish(w, TEXT("b"), &generation), ERR_NONE);
	ck_assert_uint_eq(generation, 2);
	store_close(w);
}
END_TEST

START_TEST(reader_cannot_write)
{
	struct store *w = opened(STORE_WRITE), *r = opened(STORE_READ);
	uint64_t generation;

	ck_assert_int_eq(store_publish(r, TEXT("a"), &generation), ERR_STORE);
	ck_assert_int_eq(store_catalog_begin(r, SHOP), ERR_STORE);
	store_close(r);
	store_close(w);
}
END_TEST

START_TEST(store_that_is_not_there_is_not_found)
{
	struct store *s;

	ck_assert_int_eq(
	    store_open(folder, STORE_READ, &s), ERR_NOT_FOUND);
	ck_assert_ptr_null(s);
}
END_TEST

/* A writer makes the file, then its first pages, then its format. */
START_TEST(store_that_is_being_made_is_not_found)
{
	struct store *s;
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi dbi;

	mkdir(folder, 0700);
	scratch_write("policy/data.mdb", "");
	ck_assert_int_eq(store_open(folder, STORE_READ, &s), ERR_NOT_FOUND);
	ck_assert_int_eq(mdb_env_create(&env), 0);
	ck_assert_int_eq(mdb_env_open(env, folder, 0, 0600), 0);
	ck_assert_int_eq(store_open(folder, STORE_READ, &s), ERR_NOT_FOUND);
	ck_assert_int_eq(mdb_txn_begin(env, NULL, 0, &txn), 0);
	ck_assert_int_eq(mdb_dbi_open(txn, NULL, 0, &dbi), 0);
	ck_assert_int_eq(mdb_txn_commit(txn), 0);
	mdb_env_close(env);
	ck_assert_int_eq(store_open(folder, STORE_READ, &s), ERR_NOT_FOUND);
}
END_TEST

START_TEST(store_is_nobody_elses)
{
	struct store *w = opened(STORE_WRITE);
	char file[300];
	struct stat st;

	ck_assert_int_eq(stat(folder, &st), 0);
	ck_assert_int_eq(st.st_mode & 0777, 0700);
	snprintf(file, sizeof(file), "%s/data.mdb", folder);
	ck_assert_int_eq(stat(file, &st), 0);
	ck_assert_int_eq(st.st_mode & 0777, 0600);
	store_close(w);
}
END_TEST

START_TEST(file_that_is_no_store_is_made_anew)
{
	struct store *s;
	char file[300];
	FILE *f;
	int i;

	ck_assert_int_eq(mkdir(folder, 0700), 0);
	snprintf(file, sizeof(file), "%s/data.mdb", folder);
	f = fopen(file, "w");
	for (i = 0; i < 4096; i++)
		fputs("nonsense", f);
	fclose(f);
	ck_assert_int_eq(store_open(folder, STORE_READ, &s), ERR_VERSION);
	s = opened(STORE_WRITE);
	store_close(s);
	s = opened(STORE_READ);
	store_close(s);
}
END_TEST

/* Make the store one of another format, as another version would. */
static void
format_patch(uint64_t format)
{
	MDB_val key = {1, "F"}, value = {sizeof(format), &format};
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi dbi;

	ck_assert_int_eq(mdb_env_create(&env), 0);
	ck_assert_int_eq(mdb_env_open(env, folder, 0, 0600), 0);
	ck_assert_int_eq(mdb_txn_begin(env, NULL, 0, &txn), 0);
	ck_assert_int_eq(mdb_dbi_open(txn, NULL, 0, &dbi), 0);
	ck_assert_int_eq(mdb_put(txn, dbi, &key, &value, 0), 0);
	ck_assert_int_eq(mdb_txn_commit(txn), 0);
	mdb_env_close(env);
}

static const uint64_t formats[] = {
    0, STORE_FORMAT - 1, STORE_FORMAT + 1, UINT64_MAX};

START_TEST(store_of_another_version_is_not_read_but_made_anew)
{
	struct store *s = opened(STORE_WRITE);
	uint64_t generation;
	struct text form;

	ck_assert_int_eq(
	    store_publish(s, TEXT("theirs"), &generation), ERR_NONE);
	store_close(s);
	format_patch(formats[_i]);
	ck_assert_int_eq(store_open(folder, STORE_READ, &s), ERR_VERSION);
	ck_assert_ptr_null(s);

	s = opened(STORE_WRITE);
	ck_assert_int_eq(
	    store_read_policy(s, arena, &form, &generation), ERR_NOT_FOUND);
	ck_assert_int_eq(
	    store_publish(s, TEXT("ours"), &generation), ERR_NONE);
	ck_assert_uint_eq(generation, 1);
	store_close(s);
	s = opened(STORE_READ);
	ck_assert_int_eq(
	    store_read_policy(s, arena, &form, &generation), ERR_NONE);
	ck_assert(text_is(form, TEXT("ours")));
	store_close(s);
}
END_TEST

/* --- the catalogue ------------------------------------------------------- */

static struct column_source sources[] = {{16384, 2}, {16390, 0}};
static struct column columns[] = {
    {.name = {"id", 2}, .type = 23},
    {.name = {NULL, 0}, .type = 0},
    {.name = {"mail", 4}, .type = 25, .sources = sources, .source_count = 2},
};

static void
add(struct store *s, uint32_t oid, struct text schema, struct text name)
{
	struct relation r = {.oid = oid,
	    .schema = schema,
	    .name = name,
	    .kind = 'v',
	    .columns = columns,
	    .column_count = 3};

	ck_assert_int_eq(store_catalog_add(s, &r), ERR_NONE);
}

START_TEST(relation_comes_back_whole)
{
	struct store *s = opened(STORE_WRITE);
	struct relation r;

	ck_assert_int_eq(store_catalog_begin(s, SHOP), ERR_NONE);
	add(s, 20000, TEXT("public"), TEXT("mails"));
	ck_assert_int_eq(store_catalog_commit(s), ERR_NONE);
	ck_assert_int_eq(
	    store_relation(s, SHOP, 20000, arena, &r), ERR_NONE);
	ck_assert_uint_eq(r.oid, 20000);
	ck_assert(text_is(r.schema, TEXT("public")));
	ck_assert(text_is(r.name, TEXT("mails")));
	ck_assert_int_eq(r.kind, 'v');
	ck_assert_uint_eq(r.column_count, 3);
	ck_assert(text_is(r.columns[0].name, TEXT("id")));
	ck_assert_uint_eq(r.columns[1].name.len, 0);
	ck_assert_uint_eq(r.columns[2].source_count, 2);
	ck_assert_uint_eq(r.columns[2].sources[1].relation, 16390);
	ck_assert_uint_eq(r.columns[2].sources[0].number, 2);
	store_close(s);
}
END_TEST

START_TEST(type_comes_back_whole_and_goes_with_its_catalogue)
{
	struct type_part parts[] = {{25}, {4000000000u}};
	const struct type row = {20001, TYPE_KIND_ROW, ',', parts, 2};
	const struct type array = {20000, TYPE_KIND_ARRAY, ';', parts, 1};
	struct store *s = opened(STORE_WRITE);
	struct type t;

	ck_assert_int_eq(store_catalog_add_type(s, &row), ERR_STORE);
	ck_assert_int_eq(store_catalog_begin(s, SHOP), ERR_NONE);
	ck_assert_int_eq(store_catalog_add_type(s, &row), ERR_NONE);
	ck_assert_int_eq(store_catalog_add_type(s, &array), ERR_NONE);
	ck_assert_int_eq(store_catalog_commit(s), ERR_NONE);
	ck_assert_int_eq(store_type(s, SHOP, 20001, arena, &t), ERR_NONE);
	ck_assert_uint_eq(t.oid, 20001);
	ck_assert_int_eq(t.kind, TYPE_KIND_ROW);
	ck_assert_uint_eq(t.part_count, 2);
	ck_assert_uint_eq(t.parts[1].type, 4000000000u);
	ck_assert_int_eq(store_type(s, SHOP, 20000, arena, &t), ERR_NONE);
	ck_assert_int_eq(t.delimiter, ';');
	ck_assert_int_eq(store_type(s, SHOP, 20002, arena, &t), ERR_NOT_FOUND);
	/* a relation of that OID is no type */
	ck_assert_int_eq(store_catalog_begin(s, SHOP), ERR_NONE);
	add(s, 20001, TEXT("public"), TEXT("mails"));
	ck_assert_int_eq(store_catalog_commit(s), ERR_NONE);
	ck_assert_int_eq(store_type(s, SHOP, 20001, arena, &t), ERR_NOT_FOUND);
	store_close(s);
}
END_TEST

static size_t
count_named(struct store *s, struct text upstream, struct text database,
    struct text name)
{
	uint32_t oids[8];
	size_t count;

	ck_assert_int_eq(store_relations_named(s, upstream, database, name,
			     oids, 8, &count), ERR_NONE);
	return count;
}

static struct column_source reads[] = {{7, 1 | COLUMN_SOURCE_DERIVED}};
static const struct code tax = {.kind = CODE_FUNCTION,
    .name = {"tax", 3},
    .is_disguise = true,
    .stores = true,
    .sources = reads,
    .source_count = 1};

static void
write_code(struct store *w, struct text database)
{
	uint64_t hash = code_hash(CODE_FUNCTION, tax.name);

	ck_assert_int_eq(
	    store_catalog_begin(w, TEXT("shop"), database), ERR_NONE);
	ck_assert_int_eq(store_catalog_add_code(w, &tax), ERR_NONE);
	ck_assert_int_eq(store_catalog_add_code_names(w, &hash, 1), ERR_NONE);
	ck_assert_int_eq(store_catalog_commit(w), ERR_NONE);
}

START_TEST(code_comes_back_whole_by_its_kind_and_name)
{
	struct store *w = opened(STORE_WRITE), *r = opened(STORE_READ);
	struct code code;

	write_code(w, TEXT("main"));
	ck_assert_int_eq(store_code_named(r, SHOP, CODE_FUNCTION, TEXT("tax"),
			     arena, &code),
	    ERR_NONE);
	ck_assert(code.is_disguise && code.stores);
	ck_assert(!code.is_trusted && !code.is_opaque && !code.is_in_system);
	ck_assert_uint_eq(code.source_count, 1);
	ck_assert_uint_eq(code.sources[0].relation, 7);
	ck_assert_uint_eq(code.sources[0].number, reads[0].number);
	ck_assert_int_eq(store_code_named(r, SHOP, CODE_OPERATOR, TEXT("tax"),
			     arena, &code),
	    ERR_NOT_FOUND);
	ck_assert_int_eq(store_code_named(r, SHOP, CODE_FUNCTION, TEXT("ta"),
			     arena, &code),
	    ERR_NOT_FOUND);
	ck_assert_int_eq(store_code_named(r, TEXT("shop"), TEXT("other"),
			     CODE_FUNCTION, TEXT("tax"), arena, &code),
	    ERR_NOT_FOUND);
	store_close(r);
	store_close(w);
}
END_TEST

START_TEST(names_of_code_are_there_as_soon_as_a_database_was_read)
{
	struct store *w = opened(STORE_WRITE), *r = opened(STORE_READ);
	uint64_t *hashes;
	struct code code;
	size_t count;

	ck_assert_int_eq(
	    store_code_names(r, SHOP, arena, &hashes, &count), ERR_NOT_FOUND);
	write_code(w, TEXT("main"));
	ck_assert_int_eq(
	    store_code_names(r, SHOP, arena, &hashes, &count), ERR_NONE);
	ck_assert_uint_eq(count, 1);
	ck_assert_uint_eq(hashes[0], code_hash(CODE_FUNCTION, TEXT("tax")));
	ck_assert_uint_ne(hashes[0], code_hash(CODE_TYPE, TEXT("tax")));
	ck_assert_int_eq(store_catalog_begin(w, SHOP), ERR_NONE);
	ck_assert_int_eq(store_catalog_add_code_names(w, NULL, 0), ERR_NONE);
	ck_assert_int_eq(store_catalog_commit(w), ERR_NONE);
	ck_assert_int_eq(
	    store_code_names(r, SHOP, arena, &hashes, &count), ERR_NONE);
	ck_assert_uint_eq(count, 0);
	ck_assert_int_eq(store_code_named(r, SHOP, CODE_FUNCTION, TEXT("tax"),
			     arena, &code),
	    ERR_NOT_FOUND);
	store_close(r);
	store_close(w);
}
END_TEST

START_TEST(names_lead_to_relations_of_any_schema)
{
	struct store *s = opened(STORE_WRITE);
	uint32_t oids[2];
	size_t count;

	ck_assert_int_eq(store_catalog_begin(s, SHOP), ERR_NONE);
	add(s, 7, TEXT("public"), TEXT("twin"));
	add(s, 0x01020304, TEXT("audit"), TEXT("twin"));
	add(s, 8, TEXT("public"), TEXT("twins"));
	add(s, 9, TEXT("public"), TEXT("twi"));
	ck_assert_int_eq(store_catalog_commit(s), ERR_NONE);
	ck_assert_int_eq(store_relations_named(s, SHOP, TEXT("twin"), oids, 2,
			     &count), ERR_NONE);
	ck_assert_uint_eq(count, 2);
	ck_assert_uint_eq(oids[0], 7);
	ck_assert_uint_eq(oids[1], 0x01020304);
	ck_assert_int_eq(store_relations_named(s, SHOP, TEXT("twin"), oids, 1,
			     &count), ERR_TOO_LONG);
	ck_assert_uint_eq(count_named(s, SHOP, TEXT("twi")), 1);
	ck_assert_uint_eq(count_named(s, SHOP, TEXT("tw")), 0);
	ck_assert_uint_eq(count_named(s, SHOP, TEXT("")), 0);
	store_close(s);
}
END_TEST

/* "ab"+"c" must not be "a"+"bc". */
START_TEST(databases_do_not_mix)
{
	struct store *s = opened(STORE_WRITE);
	struct relation r;

	ck_assert_int_eq(
	    store_catalog_begin(s, TEXT("ab"), TEXT("c")), ERR_NONE);
	add(s, 1, TEXT("public"), TEXT("t"));
	ck_assert_int_eq(store_catalog_commit(s), ERR_NONE);
	ck_assert_int_eq(
	    store_relation(s, TEXT("a"), TEXT("bc"), 1, arena, &r),
	    ERR_NOT_FOUND);
	ck_assert_uint_eq(
	    count_named(s, TEXT("a"), TEXT("bc"), TEXT("t")), 0);
	ck_assert_uint_eq(
	    count_named(s, TEXT("ab"), TEXT("c"), TEXT("t")), 1);
	store_close(s);
}
END_TEST

START_TEST(rewrite_replaces_one_database_at_once)
{
	struct store *w = opened(STORE_WRITE), *r = opened(STORE_READ);
	struct relation found;
	char name[32];
	uint32_t oid;

	/* enough to fill many pages */
	ck_assert_int_eq(store_catalog_begin(w, SHOP), ERR_NONE);
	for (oid = 1; oid <= 3000; oid++) {
		snprintf(name, sizeof(name), "table_%u", oid);
		add(w, oid, TEXT("public"), text_of(name));
	}
	ck_assert_int_eq(store_catalog_commit(w), ERR_NONE);
	ck_assert_int_eq(
	    store_catalog_begin(w, TEXT("shop"), TEXT("other")), ERR_NONE);
	add(w, 5, TEXT("public"), TEXT("kept"));
	ck_assert_int_eq(store_catalog_commit(w), ERR_NONE);

	ck_assert_int_eq(store_catalog_begin(w, SHOP), ERR_NONE);
	add(w, 5000, TEXT("public"), TEXT("new"));
	/* not yet: readers see the old whole */
	ck_assert_uint_eq(count_named(r, SHOP, TEXT("table_3000")), 1);
	ck_assert_uint_eq(count_named(r, SHOP, TEXT("new")), 0);
	ck_assert_int_eq(store_catalog_commit(w), ERR_NONE);
	for (oid = 1; oid <= 3000; oid++)
		ck_assert_int_eq(store_relation(r, SHOP, oid, arena, &found),
		    ERR_NOT_FOUND);
	ck_assert_uint_eq(count_named(r, SHOP, TEXT("table_17")), 0);
	ck_assert_uint_eq(count_named(r, SHOP, TEXT("new")), 1);
	ck_assert_uint_eq(
	    count_named(r, TEXT("shop"), TEXT("other"), TEXT("kept")), 1);
	store_close(r);
	store_close(w);
}
END_TEST

START_TEST(aborted_rewrite_leaves_all_as_it_was)
{
	struct store *s = opened(STORE_WRITE);

	ck_assert_int_eq(store_catalog_begin(s, SHOP), ERR_NONE);
	add(s, 1, TEXT("public"), TEXT("t"));
	ck_assert_int_eq(store_catalog_commit(s), ERR_NONE);
	ck_assert_int_eq(store_catalog_begin(s, SHOP), ERR_NONE);
	ck_assert_int_eq(store_catalog_begin(s, SHOP), ERR_STORE);
	store_catalog_abort(s);
	ck_assert_uint_eq(count_named(s, SHOP, TEXT("t")), 1);
	ck_assert_int_eq(store_catalog_commit(s), ERR_STORE);
	/* closing in the middle aborts, too */
	ck_assert_int_eq(store_catalog_begin(s, SHOP), ERR_NONE);
	store_close(s);
	s = opened(STORE_READ);
	ck_assert_uint_eq(count_named(s, SHOP, TEXT("t")), 1);
	store_close(s);
}
END_TEST

START_TEST(names_that_are_too_long_are_refused)
{
	struct store *s = opened(STORE_WRITE);
	char longest[600];
	struct text name = {longest, sizeof(longest)};
	struct relation r = {.oid = 1, .name = name, .schema = TEXT("s")};
	size_t count;
	uint32_t oid;

	memset(longest, 'x', sizeof(longest));
	ck_assert_int_eq(
	    store_catalog_begin(s, name, TEXT("d")), ERR_TOO_LONG);
	ck_assert_int_eq(store_catalog_begin(s, SHOP), ERR_NONE);
	ck_assert_int_eq(store_catalog_add(s, &r), ERR_TOO_LONG);
	store_catalog_abort(s);
	ck_assert_int_eq(
	    store_relation(s, name, name, 1, arena, &r), ERR_NOT_FOUND);
	ck_assert_int_eq(
	    store_relations_named(s, SHOP, name, &oid, 1, &count), ERR_NONE);
	ck_assert_uint_eq(count, 0);
	store_close(s);
}
END_TEST

/* Each process opens its own environment; one that dies without closing
 * leaves the others unharmed. */
START_TEST(readers_that_are_killed_harm_nobody)
{
	struct store *w = opened(STORE_WRITE);
	uint64_t generation;
	int i, status;

	ck_assert_int_eq(store_publish(w, TEXT("a"), &generation), ERR_NONE);
	store_close(w); /* an environment never crosses a fork */
	for (i = 0; i < 20; i++) {
		pid_t child = fork();

		if (child == 0) {
			struct arena *own = arena_new(0);
			struct store *s;
			struct text form;

			if (store_open(folder, STORE_READ, &s) != ERR_NONE ||
			    store_read_policy(s, own, &form, &generation) !=
				ERR_NONE)
				_exit(1);
			_exit(text_is(form, TEXT("a")) ? 0 : 2);
		}
		ck_assert_int_eq(waitpid(child, &status, 0), child);
		ck_assert_int_eq(status, 0);
	}
	w = opened(STORE_WRITE);
	ck_assert_int_eq(store_publish(w, TEXT("b"), &generation), ERR_NONE);
	ck_assert_uint_eq(generation, 2);
	store_close(w);
}
END_TEST

/* What a reader could write to would be in every other reader's hand. */
START_TEST(reader_has_nothing_that_it_could_write_to)
{
	struct store *w = opened(STORE_WRITE), *r;
	char line[512];
	bool has_data = false;
	FILE *maps;

	store_close(w);
	r = opened(STORE_READ);
	maps = fopen("/proc/self/maps", "re");
	ck_assert_ptr_nonnull(maps);
	while (fgets(line, sizeof(line), maps) != NULL) {
		ck_assert_ptr_null(strstr(line, "lock.mdb"));
		if (strstr(line, "data.mdb") == NULL)
			continue;
		has_data = true;
		ck_assert_ptr_nonnull(strstr(line, " r--s "));
	}
	ck_assert(has_data);
	fclose(maps);
	store_close(r);
}
END_TEST

START_TEST(snapshot_that_may_have_been_written_over_is_read_again)
{
	struct store *w = opened(STORE_WRITE), *r;
	uint64_t generation;
	MDB_txn *txn;
	int commits;

	ck_assert_int_eq(store_publish(w, TEXT("a"), &generation), ERR_NONE);
	r = opened(STORE_READ);
	for (commits = 0; commits < 4; commits++) {
		int i;

		ck_assert_int_eq(store_read_begin(r, &txn), MDB_SUCCESS);
		for (i = 0; i < commits; i++)
			ck_assert_int_eq(
			    store_publish(w, TEXT("b"), &generation),
			    ERR_NONE);
		ck_assert_int_eq(store_read_end(r, txn, ERR_NONE),
		    commits < 2 ? ERR_NONE : ERR_INTERRUPTED);
	}
	store_close(r);
	store_close(w);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("store");
	TCase *c = tcase_create("all");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_set_timeout(c, 60);
	tcase_add_test(c, policy_comes_back_with_a_rising_generation);
	tcase_add_test(c, generation_survives_the_writer);
	tcase_add_test(c, reader_cannot_write);
	tcase_add_test(c, store_that_is_not_there_is_not_found);
	tcase_add_test(c, store_that_is_being_made_is_not_found);
	tcase_add_test(c, store_is_nobody_elses);
	tcase_add_test(c, file_that_is_no_store_is_made_anew);
	tcase_add_loop_test(c,
	    store_of_another_version_is_not_read_but_made_anew, 0,
	    sizeof(formats) / sizeof(*formats));
	tcase_add_test(c, relation_comes_back_whole);
	tcase_add_test(c, type_comes_back_whole_and_goes_with_its_catalogue);
	tcase_add_test(c, code_comes_back_whole_by_its_kind_and_name);
	tcase_add_test(
	    c, names_of_code_are_there_as_soon_as_a_database_was_read);
	tcase_add_test(c, names_lead_to_relations_of_any_schema);
	tcase_add_test(c, databases_do_not_mix);
	tcase_add_test(c, rewrite_replaces_one_database_at_once);
	tcase_add_test(c, aborted_rewrite_leaves_all_as_it_was);
	tcase_add_test(c, names_that_are_too_long_are_refused);
	tcase_add_test(c, readers_that_are_killed_harm_nobody);
	tcase_add_test(c, reader_has_nothing_that_it_could_write_to);
	tcase_add_test(
	    c, snapshot_that_may_have_been_written_over_is_read_again);
	suite_add_tcase(suite, c);
	return suite_run(suite);
}
