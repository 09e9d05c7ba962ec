/* links: worker/postgres/wire/replication_text.c common/wire.c common/text.c */
#include <check.h>
#include <stdlib.h>

#include "tests/unit/suite.h"
#include "worker/postgres/wire/replication_text.h"

static const struct {
	const char *value;
	enum replication want;
} values[] = {
    {"database", REPLICATION_LOGICAL},
    {"true", REPLICATION_PHYSICAL},
    {"TRUE", REPLICATION_PHYSICAL},
    {"t", REPLICATION_PHYSICAL},
    {"yes", REPLICATION_PHYSICAL},
    {"on", REPLICATION_PHYSICAL},
    {"1", REPLICATION_PHYSICAL},
    {"false", REPLICATION_NONE},
    {"f", REPLICATION_NONE},
    {"no", REPLICATION_NONE},
    {"of", REPLICATION_NONE},
    {"0", REPLICATION_NONE},
    {"", REPLICATION_INVALID},
    {"o", REPLICATION_INVALID},
    {"Database", REPLICATION_INVALID},
    {"databases", REPLICATION_INVALID},
    {"truely", REPLICATION_INVALID},
    {"10", REPLICATION_INVALID},
};

START_TEST(the_parameter_means_what_it_means_to_the_server)
{
	ck_assert_int_eq(
	    replication_of(text_of(values[_i].value)), values[_i].want);
}
END_TEST

START_TEST(no_parameter_means_no_replication)
{
	ck_assert_int_eq(
	    replication_of((struct text){NULL, 0}), REPLICATION_NONE);
}
END_TEST

static const struct {
	const char *sql, *want;
} commands[] = {
    {"IDENTIFY_SYSTEM", "IDENTIFY_SYSTEM"},
    {" \n\tIDENTIFY_SYSTEM ;", "IDENTIFY_SYSTEM ;"},
    {"START_REPLICATION 0/3000000 TIMELINE 1",
	"START_REPLICATION '0/3000000' TIMELINE 1"},
    {"START_REPLICATION SLOT \"a\"\"b\" LOGICAL DEAD/1A2B "
     "(\"proto\" '1''2')",
	"START_REPLICATION SLOT \"a\"\"b\" LOGICAL 'DEAD/1A2B' ( \"proto\" "
	"'1''2' )"},
    {"READ_REPLICATION_SLOT dead", "READ_REPLICATION_SLOT dead"},
    {"BASE_BACKUP (LABEL 'a\\', MANIFEST 'yes')",
	"BASE_BACKUP ( LABEL '?' , MANIFEST 'yes' )"},
    {"TIMELINE_HISTORY 2x", "TIMELINE_HISTORY 2 x"},
};

START_TEST(a_command_is_written_as_tokens_of_sql)
{
	struct buffer b = {0};

	ck_assert(replication_read(text_of(commands[_i].sql), &b));
	ck_assert_uint_eq(b.len, strlen(commands[_i].want));
	ck_assert_mem_eq(b.bytes, commands[_i].want, b.len);
	buffer_free(&b);
}
END_TEST

/* The server would read these as SQL, or not at all. */
static const char *const others[] = {"", " ", "SELECT 1", "identify_system",
    "\"IDENTIFY_SYSTEM\"", "/**/IDENTIFY_SYSTEM", "-- \nIDENTIFY_SYSTEM",
    "IDENTIFY_SYSTEMS", "IDENTIFY_SYSTEM$", ";IDENTIFY_SYSTEM",
    "\vIDENTIFY_SYSTEM", "BASE_BACKUP LABEL 'a", "BASE_BACKUP LABEL \"a",
    "START_REPLICATION 0/", "START_REPLICATION 0 / 1", "BASE_BACKUP -- x",
    "BASE_BACKUP $1", "SHOW x"};

START_TEST(what_is_no_command_is_left_to_sql)
{
	struct buffer b = {0};

	ck_assert(!replication_read(text_of(others[_i]), &b));
	buffer_free(&b);
}
END_TEST

#define LOOP(test, table)                                                      \
	tcase_add_loop_test(                                                   \
	    c, test, 0, sizeof(table) / sizeof((table)[0]))

int
main(void)
{
	Suite *s = suite_create("replication_text");
	TCase *c = tcase_create("replication_text");

	LOOP(the_parameter_means_what_it_means_to_the_server, values);
	tcase_add_test(c, no_parameter_means_no_replication);
	LOOP(a_command_is_written_as_tokens_of_sql, commands);
	LOOP(what_is_no_command_is_left_to_sql, others);
	suite_add_tcase(s, c);
	return suite_run(s);
}
