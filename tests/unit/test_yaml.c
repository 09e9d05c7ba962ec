/* links: common/yaml.c common/diagnostics.c common/arena.c common/text.c */
#include <check.h>
#include <stdlib.h>

#include "common/yaml.h"
#include "tests/unit/suite.h"

static struct arena *arena;
static struct diagnostics *diagnostics;
static struct node *root;

static void
setup(void)
{
	arena = arena_new(0);
	diagnostics = diagnostics_new(arena);
}

static void
teardown(void)
{
	arena_free(arena);
}

static enum err
parse(const char *text)
{
	return yaml_parse("f", text_of(text), arena, diagnostics, &root);
}

START_TEST(tree_remembers_lines_and_columns)
{
	const struct node *n;

	ck_assert_int_eq(parse("a: 1\nb:\n  - x\n  - {c: 'y'}\n"), ERR_NONE);
	ck_assert_int_eq(root->kind, NODE_MAP);
	n = yaml_get(root, "b");
	ck_assert_int_eq(n->kind, NODE_LIST);
	ck_assert_uint_eq(n->count, 2);
	ck_assert_uint_eq(n->items[0]->line, 3);
	ck_assert_uint_eq(n->items[0]->column, 5);
	ck_assert(!n->items[0]->is_quoted);
	n = yaml_get(n->items[1], "c");
	ck_assert_str_eq(n->text.at, "y");
	ck_assert(n->is_quoted);
	ck_assert_ptr_null(yaml_get(root, "c"));
}
END_TEST

START_TEST(empty_document_is_an_empty_scalar)
{
	ck_assert_int_eq(parse("# nothing\n"), ERR_NONE);
	ck_assert(yaml_is_null(root));
	ck_assert_int_eq(yaml_parse("f", (struct text){NULL, 0}, arena,
			     diagnostics, &root), ERR_NONE);
	ck_assert(yaml_is_null(root));
}
END_TEST

START_TEST(null_is_only_what_is_unquoted)
{
	ck_assert_int_eq(parse("[~, null, '', 'null']"), ERR_NONE);
	ck_assert(yaml_is_null(root->items[0]));
	ck_assert(yaml_is_null(root->items[1]));
	ck_assert(!yaml_is_null(root->items[2]));
	ck_assert(!yaml_is_null(root->items[3]));
}
END_TEST

static const struct refused {
	const char *text, *line;
} refused[] = {
    {"a: &x 1\n", "f:1:4: anchors and aliases are not allowed"},
    {"a: *x\n", "f:1:4: anchors and aliases are not allowed"},
    {"a: !!int 1\n", "f:1:4: tags are not allowed"},
    {"a: !mine [1]\n", "f:1:4: tags are not allowed"},
    {"a: 1\n---\nb: 2\n", "f:2:1: only one document is allowed in a file"},
    {"[x]: 1\n", "f:1:1: a key must be a word"},
    {"'': 1\n", "f:1:1: a key must be a word"},
    {"a: \"x\\0y\"\n", "f:1:4: a NUL character is not allowed"},
    {"a: [1\nb: 2\n", "f:2:2: did not find expected ',' or ']'"},
    {"a: {b: 1\n", "f:2:1: did not find expected ',' or '}'"},
    {"a: 1\n\tb: 2\n",
	"f:2:1: found a tab character that violates indentation"},
    {"a: 'x\n", "f:2:1: found unexpected end of stream"},
    {"a: 1\na: 2\n", "f:2:1: `a` is here twice (first in line 1)"},
    {"x: {a: 1, b: 2, a: 3}\n",
	"f:1:17: `a` is here twice (first in line 1)"},
};

START_TEST(what_two_readers_could_read_differently_is_refused)
{
	const struct refused *r = &refused[_i];

	ck_assert_int_eq(parse(r->text), ERR_INVALID);
	ck_assert_uint_eq(diagnostics_count(diagnostics), 1);
	ck_assert_str_eq(diagnostics_line(diagnostics, 0), r->line);
}
END_TEST

START_TEST(duplicate_keys_leave_a_tree_to_go_on_with)
{
	ck_assert_int_eq(
	    parse("a: 1\nb: 2\na: 3\nb: 4\na: 5\n"), ERR_INVALID);
	ck_assert_uint_eq(diagnostics_count(diagnostics), 3);
	ck_assert_ptr_nonnull(root);
	ck_assert_str_eq(yaml_get(root, "a")->text.at, "1");
}
END_TEST

START_TEST(invalid_utf8_is_refused)
{
	ck_assert_int_eq(parse("a: \xff\xfe\n"), ERR_INVALID);
	ck_assert_ptr_null(root);
	ck_assert_int_eq(parse("\xff\xfe" "a"), ERR_INVALID);
}
END_TEST

static char *
repeat(const char *piece, size_t times, const char *end)
{
	size_t len = strlen(piece), i;
	char *text = malloc(len * times + strlen(end) + 1);

	ck_assert_ptr_nonnull(text);
	for (i = 0; i < times; i++)
		memcpy(text + i * len, piece, len);
	strcpy(text + len * times, end);
	return text;
}

START_TEST(depth_has_a_ceiling)
{
	char *fits = repeat("- ", YAML_DEPTH_MAX, "x");
	char *over = repeat("- ", YAML_DEPTH_MAX + 1, "x");
	char *brackets = repeat("[", 100000, "");

	ck_assert_int_eq(parse(fits), ERR_NONE);
	ck_assert_int_eq(parse(over), ERR_INVALID);
	ck_assert_int_eq(parse(brackets), ERR_INVALID);
	free(fits);
	free(over);
	free(brackets);
}
END_TEST

START_TEST(number_of_values_has_a_ceiling)
{
	char *fits = repeat("- x\n", YAML_NODES_MAX - 1, "");
	char *over = repeat("- x\n", YAML_NODES_MAX, "");

	ck_assert_int_eq(parse(fits), ERR_NONE);
	ck_assert_int_eq(parse(over), ERR_INVALID);
	free(fits);
	free(over);
}
END_TEST

START_TEST(length_has_a_ceiling)
{
	char *over = repeat("# comment\n", YAML_BYTES_MAX / 10 + 1, "");

	ck_assert_int_eq(parse(over), ERR_INVALID);
	free(over);
}
END_TEST

START_TEST(arena_that_is_full_is_an_error)
{
	struct arena *small = arena_new(200);

	ck_assert_int_eq(yaml_parse("f", TEXT("[a, b, c, d, e, f]"), small,
			     diagnostics, &root),
	    ERR_MEMORY);
	arena_free(small);
}
END_TEST

START_TEST(complaints_past_the_ceiling_become_one)
{
	int i;

	for (i = 0; i < CONFIG_ERRORS_MAX + 50; i++)
		diagnostics_add(diagnostics, "f", 1, 1, "no %d", i);
	ck_assert_uint_eq(
	    diagnostics_count(diagnostics), CONFIG_ERRORS_MAX + 1);
	ck_assert_str_eq(diagnostics_line(diagnostics, CONFIG_ERRORS_MAX),
	    "and more errors, not shown");
	ck_assert_str_eq(
	    diagnostics_line(diagnostics, CONFIG_ERRORS_MAX + 1), "");
}
END_TEST

START_TEST(missing_file_and_folder_are_told)
{
	ck_assert_int_eq(
	    yaml_load("/nonexistent/x", arena, diagnostics, &root),
	    ERR_SYSTEM);
	ck_assert_str_eq(diagnostics_line(diagnostics, 0),
	    "/nonexistent/x: No such file or directory");
	ck_assert_int_eq(
	    yaml_load("/tmp", arena, diagnostics, &root), ERR_INVALID);
	ck_assert_str_eq(
	    diagnostics_line(diagnostics, 1), "/tmp: not a regular file");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("yaml");
	TCase *c = tcase_create("all");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_set_timeout(c, 60);
	tcase_add_test(c, tree_remembers_lines_and_columns);
	tcase_add_test(c, empty_document_is_an_empty_scalar);
	tcase_add_test(c, null_is_only_what_is_unquoted);
	tcase_add_loop_test(c,
	    what_two_readers_could_read_differently_is_refused, 0,
	    sizeof(refused) / sizeof(refused[0]));
	tcase_add_test(c, duplicate_keys_leave_a_tree_to_go_on_with);
	tcase_add_test(c, invalid_utf8_is_refused);
	tcase_add_test(c, depth_has_a_ceiling);
	tcase_add_test(c, number_of_values_has_a_ceiling);
	tcase_add_test(c, length_has_a_ceiling);
	tcase_add_test(c, arena_that_is_full_is_an_error);
	tcase_add_test(c, complaints_past_the_ceiling_become_one);
	tcase_add_test(c, missing_file_and_folder_are_told);
	suite_add_tcase(suite, c);
	return suite_run(suite);
}
