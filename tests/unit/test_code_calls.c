/* links: common/code_calls.c common/lexer.c common/lexer_number.c common/lexer_string.c common/lexer_unicode.c common/arena.c common/text.c */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/code_calls.h"
#include "tests/unit/suite.h"

/* What is told, as " f:name": functions, columns? that may be functions,
 * types, casts and operators; `!` after what is of pg_catalog. */
static char told[1000];

static enum err
take(void *context, const struct code_call *call)
{
	static const char letters[] = {[CODE_FUNCTION] = 'f',
	    [CODE_OPERATOR] = 'o', [CODE_TYPE] = 't', [CODE_CAST] = 'c'};
	size_t *len = context;

	*len += (size_t)snprintf(told + *len, sizeof(told) - *len, " %c%s:%.*s%s",
	    letters[call->kind], call->may_be_column ? "?" : "",
	    (int)call->name.len, call->name.at, call->is_system ? "!" : "");
	return ERR_NONE;
}

static void
tell(const char *sql)
{
	static const struct lex_state state = {
	    .standard_conforming_strings = true, .is_utf8 = true};
	struct arena *a = arena_new(0);
	struct lexed lexed;
	size_t len = 0;

	told[0] = '\0';
	ck_assert_int_eq(lexer_run(&state, text_of(sql), a, &lexed), ERR_NONE);
	ck_assert_int_eq(
	    code_calls(lexed.tokens, lexed.count, take, &len), ERR_NONE);
	arena_free(a);
}

static const struct {
	const char *sql, *want;
} rows[] = {
    {"select lower(x)", " f:lower"},
    {"select \"Lower\" (x)", " f:Lower"},
    {"select app.lower(x)", " f:lower"},
    {"select db.pg_catalog.lower(x)", " f:lower"},
    {"select c.total", " f?:total"},
    {"select (c).total", " f?:total"},
    {"select pg_catalog.total", " f?:total"},
    {"select a + b", " o:+"},
    {"select a != b", " o:<>"},
    {"select a operator(app.===) b", " o:==="},
    {"select a like b", " o:~~"},
    {"select a not ilike b", " o:!~~*"},
    {"select a similar to b", " o:~"},
    {"select a between 1 and 2", " o:>="},
    {"select a in (1)", " o:="},
    {"select a not in (1)", " o:<>"},
    {"select a is distinct from b", " o:="},
    {"select nullif(a, b)", " o:="},
    {"select case a when b then c end", " o:="},
    {"select 1 from a join b using (c)", " o:="},
    {"select 1 from a natural join b", " o:="},
    {"select x::email", " t:email"},
    {"select x::email", " c:email"},
    {"select x::app.email[]", " t:email"},
    {"select cast(x as email)", " c:email"},
    {"select email 'x'", " t:email"},
    {"select email(x)", " t:email"},
    {"select email(x)", " c:email"},
    {"select x.email", " c?:email"},
    {"select * from f() as t(a email)", " t:email"},
    {"select * from f() as t(a email, b int)", " t:email"},
    {"select app.email 'x'", " t:email"},
};

static const struct {
	const char *sql, *not;
} none[] = {
    {"select lower", "f:lower"},
    {"select 'lower(x)', \"a\" -- lower(x)", "f:lower"},
    {"select pg_catalog.lower(x)", "f:lower "},
    {"select a operator(pg_catalog.~) b", "o:~ "},
    {"select email from t where email = 1 and email > 2", ":email"},
    {"select a, email, b from t order by email", ":email"},
    {"select lower from t", "f:from"},
    {"select x from t where a = b", "~~"},
};

START_TEST(everything_that_may_be_a_call_is_told)
{
	char wanted[64];

	tell(rows[_i].sql);
	snprintf(wanted, sizeof(wanted), "%s ", rows[_i].want);
	strcat(told, " ");
	ck_assert_msg(strstr(told, wanted) != NULL, "%s: %s, not%s",
	    rows[_i].sql, told, rows[_i].want);
}
END_TEST

START_TEST(what_can_be_no_call_is_not_told)
{
	tell(none[_i].sql);
	strcat(told, " ");
	ck_assert_msg(strstr(told, none[_i].not) == NULL, "%s: %s",
	    none[_i].sql, told);
}
END_TEST

START_TEST(name_in_pg_catalog_is_told_as_the_systems)
{
	tell("select pg_catalog.lower(x) operator(pg_catalog.~) y");
	ck_assert_ptr_nonnull(strstr(told, "f:lower!"));
	ck_assert_ptr_nonnull(strstr(told, "o:~!"));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("code_calls");
	TCase *c = tcase_create("code_calls");

	tcase_add_loop_test(c, everything_that_may_be_a_call_is_told, 0,
	    sizeof(rows) / sizeof(*rows));
	tcase_add_loop_test(c, what_can_be_no_call_is_not_told, 0,
	    sizeof(none) / sizeof(*none));
	tcase_add_test(c, name_in_pg_catalog_is_told_as_the_systems);
	suite_add_tcase(suite, c);
	return suite_run(suite);
}
