/* links: worker/postgres/catalog/node_tree.c common/text.c */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/suite.h"
#include "worker/postgres/catalog/node_tree.h"

static struct view_tree tree;

#define ENTRY(number, table, column, junk)                                     \
	"{TARGETENTRY :expr {VAR :varno 1 :varattno 2 :vartype 25} :resno "    \
	#number " :resname e :ressortgroupref 0 :resorigtbl " #table           \
	" :resorigcol " #column " :resjunk " junk "}"
#define QUERY(targets)                                                         \
	"({QUERY :commandType 1 :rtable ({RTE :eref {ALIAS :aliasname a "      \
	":colnames (\"a\" \"b\\)c\")}}) :targetList (" targets ") :override 0})"

START_TEST(origins_are_read_off_the_target_list)
{
	ck_assert_int_eq(node_tree_view(TEXT(QUERY(ENTRY(1, 16385, 3,
			     "false") " " ENTRY(2, 0, 0, "false"))),
			     &tree),
	    ERR_NONE);
	ck_assert(tree.columns[0].is_seen);
	ck_assert_uint_eq(tree.columns[0].table, 16385);
	ck_assert_uint_eq(tree.columns[0].column, 3);
	ck_assert(tree.columns[1].is_seen);
	ck_assert_uint_eq(tree.columns[1].table, 0);
	ck_assert(!tree.columns[2].is_seen);
	ck_assert(!tree.takes_whole_relations);
}
END_TEST

START_TEST(junk_entries_are_no_columns)
{
	ck_assert_int_eq(
	    node_tree_view(TEXT(QUERY(ENTRY(2, 16385, 3, "true"))), &tree),
	    ERR_NONE);
	ck_assert(!tree.columns[1].is_seen);
}
END_TEST

START_TEST(target_lists_of_inner_queries_do_not_count)
{
	ck_assert_int_eq(
	    node_tree_view(TEXT("({QUERY :rtable ({RTE :subquery "
				"{QUERY :targetList (" ENTRY(1, 7, 7,
				"false") ")}}) :targetList (" ENTRY(1, 0, 0,
				"false") ") :sub {QUERY :targetList (" ENTRY(2,
				9, 9, "false") ")}})"),
		&tree),
	    ERR_NONE);
	ck_assert_uint_eq(tree.columns[0].table, 0);
	ck_assert(!tree.columns[1].is_seen);
}
END_TEST

START_TEST(whole_rows_and_relation_constants_are_noticed)
{
	ck_assert_int_eq(
	    node_tree_view(TEXT("({QUERY :targetList ({TARGETENTRY :expr "
				"{VAR :varattno 0} :resno 1})})"),
		&tree),
	    ERR_NONE);
	ck_assert(tree.takes_whole_relations);
	ck_assert_int_eq(
	    node_tree_view(TEXT("({QUERY :targetList ({TARGETENTRY :expr "
				"{CONST :consttype 2205} :resno 1})})"),
		&tree),
	    ERR_NONE);
	ck_assert(tree.takes_whole_relations);
}
END_TEST

START_TEST(escaped_brackets_are_part_of_a_name)
{
	ck_assert_int_eq(node_tree_view(TEXT("({QUERY :x \\)\\}\\{ :targetList "
					     "(" ENTRY(1, 5, 6,
						 "false") ")})"),
			     &tree),
	    ERR_NONE);
	ck_assert_uint_eq(tree.columns[0].table, 5);
}
END_TEST

START_TEST(trees_that_are_none_are_malformed_and_have_no_origins)
{
	static const char *const trees[] = {"", "<>", "(", ")", "({QUERY})",
	    "({QUERY :targetList <>})",
	    "({QUERY :targetList (" ENTRY(1, 5, 6, "false"),
	    "({QUERY :targetList (" ENTRY(1, 5, 6, "false") ")}))", "\\",
	    ":targetList"};
	size_t i;

	for (i = 0; i < sizeof(trees) / sizeof(*trees); i++) {
		ck_assert_int_eq(node_tree_view((struct text){trees[i],
						    strlen(trees[i])},
				     &tree),
		    ERR_MALFORMED);
		ck_assert_uint_eq(tree.columns[0].table, 0);
		ck_assert(tree.takes_whole_relations);
	}
}
END_TEST

START_TEST(numbers_out_of_range_are_no_origin)
{
	ck_assert_int_eq(
	    node_tree_view(TEXT(QUERY(ENTRY(1, 99999999999, 3,
			       "false") ENTRY(2, 5, 70000, "false")
			       ENTRY(9999, 5, 5, "false") ENTRY(0, 5, 5,
				   "false") ENTRY(3, 5, -1, "false"))),
		&tree),
	    ERR_NONE);
	ck_assert_uint_eq(tree.columns[0].table, 0);
	ck_assert_uint_eq(tree.columns[1].table, 0);
	ck_assert_uint_eq(tree.columns[2].table, 0);
}
END_TEST

START_TEST(functions_are_told_once_each_whatever_calls_them)
{
	ck_assert_int_eq(
	    node_tree_functions(TEXT("{OPEXPR :opno 9 :opfuncid 17 :args ({FUNCEXPR "
				     ":funcid 18 :args (:funcid 17)} {AGGREF "
				     ":aggfnoid 19} {WINDOWFUNC :winfnoid 20} "
				     "{CONST :x \\:funcid 21})}"),
		&tree),
	    ERR_NONE);
	ck_assert_uint_eq(tree.function_count, 4);
	ck_assert_uint_eq(tree.functions[0], 17);
	ck_assert_uint_eq(tree.functions[3], 20);
	ck_assert(!tree.has_more_functions);
}
END_TEST

START_TEST(tree_that_makes_no_sense_may_call_anything)
{
	ck_assert_int_eq(
	    node_tree_functions(TEXT("{FUNCEXPR :funcid 18"), &tree),
	    ERR_MALFORMED);
	ck_assert(tree.has_more_functions);
}
END_TEST

START_TEST(functions_without_end_are_too_many)
{
	static char text[NODE_FUNCTIONS_MAX * 32];
	size_t len = 0, i;

	for (i = 0; i <= NODE_FUNCTIONS_MAX; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
		    "{F :funcid %zu} ", 16384 + i);
	ck_assert_int_eq(
	    node_tree_functions((struct text){text, len}, &tree), ERR_NONE);
	ck_assert_uint_eq(tree.function_count, NODE_FUNCTIONS_MAX);
	ck_assert(tree.has_more_functions);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("node_tree");
	TCase *tc = tcase_create("node_tree");

	tcase_add_test(tc, origins_are_read_off_the_target_list);
	tcase_add_test(tc, junk_entries_are_no_columns);
	tcase_add_test(tc, target_lists_of_inner_queries_do_not_count);
	tcase_add_test(tc, whole_rows_and_relation_constants_are_noticed);
	tcase_add_test(tc, escaped_brackets_are_part_of_a_name);
	tcase_add_test(
	    tc, trees_that_are_none_are_malformed_and_have_no_origins);
	tcase_add_test(tc, numbers_out_of_range_are_no_origin);
	tcase_add_test(
	    tc, functions_are_told_once_each_whatever_calls_them);
	tcase_add_test(tc, tree_that_makes_no_sense_may_call_anything);
	tcase_add_test(tc, functions_without_end_are_too_many);
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
