/* links: worker/postgres/pg_names.c common/text.c */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/suite.h"
#include "worker/postgres/pg.h"

/* --- the friends of pg_names.c, as far as it needs them -------------------- */

static size_t shapes_dropped;

struct ruling *
ruling_share(struct ruling *j)
{
	j->references++;
	return j;
}

void
ruling_drop(struct ruling *j)
{
	if (j != NULL)
		j->references--;
}

size_t
rulings_bytes(void)
{
	return 0;
}

void
shape_drop(struct shape *s)
{
	if (s != NULL)
		shapes_dropped++;
}

/* --- helpers --------------------------------------------------------------- */

static struct ruling ruling;

static void
setup(void)
{
	ruling = (struct ruling){.references = 1};
	shapes_dropped = 0;
}

static struct text
numbered(char *buffer, size_t size, int i)
{
	snprintf(buffer, size, "name%d", i);
	return text_of(buffer);
}

static struct prepared *
some_prepared(void)
{
	return prepared_new(&ruling, TEXT("SELECT 1"), TEXT(""), 0);
}

static struct portal *
some_portal(uint64_t batch)
{
	const struct pg_bind b = {.formats = (const uint8_t *)""};
	struct prepared *p = some_prepared();
	struct portal *portal = portal_new(p, &b, batch);

	prepared_drop(p);
	return portal;
}

/* --- names ----------------------------------------------------------------- */

START_TEST(name_leads_to_what_was_set_last)
{
	struct names *n = names_new(prepared_drop);
	struct prepared *a = some_prepared(), *b = some_prepared();

	ck_assert_ptr_null(names_get(n, TEXT("s")));
	ck_assert_int_eq(names_set(n, TEXT("s"), a), ERR_NONE);
	ck_assert_int_eq(names_set(n, TEXT("s"), b), ERR_NONE);
	ck_assert_ptr_eq(names_get(n, TEXT("s")), b);
	ck_assert_uint_eq(names_count(n), 1);
	ck_assert_uint_eq(ruling.references, 2); /* a was dropped */
	names_free(n);
	ck_assert_uint_eq(ruling.references, 1);
}
END_TEST

START_TEST(names_differ_by_every_byte_and_may_be_empty)
{
	struct names *n = names_new(prepared_drop);
	struct prepared *empty = some_prepared(), *a = some_prepared();

	ck_assert_int_eq(names_set(n, TEXT(""), empty), ERR_NONE);
	ck_assert_int_eq(names_set(n, TEXT("a"), a), ERR_NONE);
	ck_assert_ptr_eq(names_get(n, TEXT("")), empty);
	ck_assert_ptr_eq(names_get(n, TEXT("a")), a);
	ck_assert_ptr_null(names_get(n, TEXT("A")));
	ck_assert_ptr_null(names_get(n, TEXT("aa")));
	names_free(n);
}
END_TEST

START_TEST(names_are_cut_as_the_server_cuts_them)
{
	static const char digits[] = "123456789012345678901234567890"
				     "123456789012345678901234567890";
	struct names *n = names_new(prepared_drop);
	char a[80], b[80];
	struct prepared *p = some_prepared();

	snprintf(a, sizeof(a), "%sabcX", digits);
	snprintf(b, sizeof(b), "%sabcY", digits);
	ck_assert_int_eq(names_set(n, text_of(a), p), ERR_NONE);
	ck_assert_ptr_eq(names_get(n, text_of(b)), p);
	snprintf(b, sizeof(b), "%sab", digits);
	ck_assert_ptr_null(names_get(n, text_of(b)));
	/* the 63rd byte would be the first half of a letter */
	snprintf(a, sizeof(a), "%sab\xc3\xa4", digits);
	names_remove(n, text_of(a));
	ck_assert_uint_eq(names_count(n), 1);
	ck_assert_int_eq(names_set(n, text_of(a), some_prepared()), ERR_NONE);
	ck_assert_ptr_nonnull(names_get(n, text_of(b)));
	names_free(n);
}
END_TEST

START_TEST(names_survive_growth_and_removal_in_any_order)
{
	enum { MANY = 3000 };
	struct names *n = names_new(prepared_drop);
	static struct prepared *all[MANY];
	char buffer[32];
	int i;

	for (i = 0; i < MANY; i++) {
		all[i] = some_prepared();
		ck_assert_int_eq(names_set(n,
		    numbered(buffer, sizeof(buffer), i), all[i]), ERR_NONE);
	}
	for (i = 0; i < MANY; i += 3)
		names_remove(n, numbered(buffer, sizeof(buffer), i));
	for (i = 1; i < MANY; i += 3)
		names_remove_value(n, all[i]);
	for (i = 0; i < MANY; i++)
		ck_assert_ptr_eq(
		    names_get(n, numbered(buffer, sizeof(buffer), i)),
		    i % 3 == 2 ? all[i] : NULL);
	ck_assert_uint_eq(names_count(n), MANY / 3);
	names_free(n);
	ck_assert_uint_eq(ruling.references, 1);
}
END_TEST

START_TEST(one_name_set_and_removed_for_ever_costs_no_memory)
{
	struct names *n = names_new(prepared_drop);
	char buffer[32];
	int i;

	for (i = 0; i < 20000; i++) {
		struct text name = numbered(buffer, sizeof(buffer), i);

		ck_assert_int_eq(
		    names_set(n, name, some_prepared()), ERR_NONE);
		names_remove(n, name);
	}
	ck_assert_uint_eq(names_count(n), 0);
	ck_assert_uint_eq(names_bytes(), 0);
	names_free(n);
}
END_TEST

START_TEST(value_is_removed_only_while_its_name_leads_to_it)
{
	struct names *n = names_new(prepared_drop);
	struct prepared *first = some_prepared(), *second = some_prepared();

	prepared_share(first);
	ck_assert_int_eq(names_set(n, TEXT(""), first), ERR_NONE);
	ck_assert_int_eq(names_set(n, TEXT(""), second), ERR_NONE);
	names_remove_value(n, first); /* its Close comes late */
	ck_assert_ptr_eq(names_get(n, TEXT("")), second);
	prepared_drop(first);
	names_free(n);
}
END_TEST

/* --- transactions ---------------------------------------------------------- */

START_TEST(portals_end_with_their_transaction)
{
	struct names *n = names_new(portal_drop);
	struct portal *held = some_portal(1), *cursor = some_portal(1);

	held->is_cursor = held->is_held = cursor->is_cursor = true;
	ck_assert_int_eq(names_set(n, TEXT("held"), held), ERR_NONE);
	ck_assert_int_eq(names_set(n, TEXT("cursor"), cursor), ERR_NONE);
	ck_assert_int_eq(names_set(n, TEXT("old"), some_portal(1)), ERR_NONE);
	ck_assert_int_eq(names_set(n, TEXT("now"), some_portal(2)), ERR_NONE);
	ck_assert_int_eq(names_set(n, TEXT("next"), some_portal(3)), ERR_NONE);
	names_end_transaction(n, 2);
	ck_assert_ptr_eq(names_get(n, TEXT("held")), held);
	ck_assert_ptr_null(names_get(n, TEXT("cursor")));
	ck_assert_ptr_null(names_get(n, TEXT("old")));
	ck_assert_ptr_null(names_get(n, TEXT("now")));
	ck_assert_ptr_nonnull(names_get(n, TEXT("next")));
	names_free(n);
}
END_TEST

/* --- what they lead to ----------------------------------------------------- */

START_TEST(prepared_statement_keeps_its_own_copy_of_the_text)
{
	char message[] = "name\0SELECT 1\0\0\0";
	struct text body = {message, sizeof(message) - 1};
	struct prepared *p =
	    prepared_new(&ruling, (struct text){message + 5, 8}, body, 0);

	memset(message, 'x', sizeof(message));
	ck_assert(text_is(p->sql, TEXT("SELECT 1")));
	ck_assert_uint_eq(p->message.len, body.len);
	ck_assert_uint_ge(names_bytes(), body.len);
	prepared_drop(p);
	ck_assert_uint_eq(names_bytes(), 0);
}
END_TEST

START_TEST(portal_keeps_what_it_was_bound_with)
{
	uint8_t formats[] = {0, 1, 0, 0};
	char values[] = "values";
	const struct pg_bind b = {.formats = formats,
	    .format_count = 2,
	    .values = {values, 6}};
	struct prepared *p = some_prepared();
	struct portal *portal = portal_new(p, &b, 7);

	memset(values, 'x', sizeof(values));
	memset(formats, 9, sizeof(formats));
	prepared_drop(p); /* its name goes; the portal stays */
	ck_assert(text_is(portal->values, TEXT("values")));
	ck_assert_uint_eq(portal->formats[1], 1);
	ck_assert_uint_eq(portal->format_count, 2);
	ck_assert_uint_eq(ruling.references, 2);
	portal_drop(portal);
	ck_assert_uint_eq(ruling.references, 1);
	ck_assert_uint_eq(names_bytes(), 0);
}
END_TEST

START_TEST(nothing_can_be_dropped)
{
	prepared_drop(NULL);
	portal_drop(NULL);
	names_free(NULL);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {
	    name_leads_to_what_was_set_last,
	    names_differ_by_every_byte_and_may_be_empty,
	    names_are_cut_as_the_server_cuts_them,
	    names_survive_growth_and_removal_in_any_order,
	    one_name_set_and_removed_for_ever_costs_no_memory,
	    value_is_removed_only_while_its_name_leads_to_it,
	    portals_end_with_their_transaction,
	    prepared_statement_keeps_its_own_copy_of_the_text,
	    portal_keeps_what_it_was_bound_with,
	    nothing_can_be_dropped,
	};
	Suite *suite = suite_create("pg_names");
	TCase *c = tcase_create("pg_names");
	size_t i;

	tcase_add_checked_fixture(c, setup, NULL);
	for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		tcase_add_test(c, tests[i]);
	suite_add_tcase(suite, c);
	return suite_run(suite);
}
