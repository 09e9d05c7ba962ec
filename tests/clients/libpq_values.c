/*
 * libpq_values.c - values, settings, complaints: what one statement gives.
 */
#include <stdlib.h>
#include <string.h>
#include <libpq/libpq-fs.h>

#include "libpq.h"

enum {
	LARGE = 5000000,
	COLUMNS_MAX = 1600,
	NAMED = 31, /* large object; any number will do */
};

void
step_connection(PGconn *c)
{
	static const char *const names[] = {"server_version", "server_encoding",
	    "client_encoding", "is_superuser", "session_authorization",
	    "DateStyle", "IntervalStyle", "TimeZone", "integer_datetimes",
	    "standard_conforming_strings", "in_hot_standby",
	    "default_transaction_read_only", "work_mem"};
	PGconn *tuned =
	    connect_to(where.host, "-c work_mem=123kB -c datestyle=sql,dmy");
	PGresult *r = PQexec(c, "SELECT pg_backend_pid()");
	char pid[32];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *value = PQparameterStatus(tuned, names[i]);

		saw("%s %s", names[i], value != NULL ? value : "untold");
	}
	see_query(tuned, "SHOW work_mem");
	see_query(tuned, "SELECT current_user, session_user, current_schemas("
			 "true), current_database()");
	snprintf(pid, sizeof(pid), "%d", PQbackendPID(c));
	saw("its process id: %d", strcmp(pid, PQgetvalue(r, 0, 0)) == 0);
	saw("protocol %d, server %d", PQprotocolVersion(c), PQserverVersion(c));
	PQclear(r);
	PQfinish(tuned);
}

void
step_types(PGconn *c)
{
	see_query(c, "SELECT * FROM every_type ORDER BY n");
	see_query(c, "TABLE harbour.products");
}

void
step_binary(PGconn *c)
{
	see(PQexecParams(c, "SELECT * FROM every_type ORDER BY n", 0, NULL,
	    NULL, NULL, NULL, 1));
	see_query(c, "BEGIN");
	see_query(c, "DECLARE b BINARY CURSOR FOR SELECT * FROM every_type");
	see_query(c, "FETCH 2 b");
	see_query(c, "COMMIT");
}

/* Give each row back as it came, in the format it came in. */
static void
give_back(PGconn *c, const PGresult *r, const char *sql)
{
	const char *values[64];
	Oid types[64];
	int lengths[64], formats[64], count = PQnfields(r);

	for (int row = 0; row < PQntuples(r); row++) {
		for (int i = 0; i < count; i++) {
			values[i] = PQgetisnull(r, row, i)
					? NULL
					: PQgetvalue(r, row, i);
			lengths[i] = PQgetlength(r, row, i);
			formats[i] = PQfformat(r, i);
			types[i] = PQftype(r, i);
		}
		see(PQexecParams(
		    c, sql, count, types, values, lengths, formats, 1));
	}
}

void
step_parameters(PGconn *c)
{
	char sql[1024] = "INSERT INTO again VALUES ($1";

	see_query(c, "CREATE TEMP TABLE again (LIKE every_type)");
	for (int i = 2; i <= 44; i++)
		snprintf(
		    sql + strlen(sql), sizeof(sql) - strlen(sql), ", $%d", i);
	strcat(sql, ") RETURNING n + 0");
	for (int format = 0; format < 2; format++) {
		PGresult *r = PQexecParams(
		    c, "TABLE every_type", 0, NULL, NULL, NULL, NULL, format);

		give_back(c, r, sql);
		PQclear(r);
	}
	see_query(c, "SELECT e.n, count(*), bool_and(a::text = e::text) FROM "
		     "again a JOIN every_type e USING (n) GROUP BY e.n");
}

void
step_errors(PGconn *c)
{
	static const char *const wrong[] = {"SELECT 1/0", "SELECT nothing",
	    "SELEC 1", "SELECT 'x'::int", "SELECT 41::knots",
	    "SELECT * FROM nowhere", "INSERT INTO ledger VALUES (1, NULL, 1)",
	    "INSERT INTO ledger VALUES (1, 'one', 1), (1, 'again', 1)",
	    "INSERT INTO ledger VALUES (1, 'one', -1)",
	    "INSERT INTO ledger VALUES (1, 'one', 1, 0)",
	    "SELECT speak('EXCEPTION', 'a word')",
	    "DO $$ BEGIN PERFORM nothing; END $$", "SELECT $1"};

	see_query(c, "TRUNCATE ledger");
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		see_query(c, wrong[i]);
		see(ask(c, wrong[i], 0, NULL));
	}
	see(ask(c, "SELECT 1; SELECT 2", 0, NULL));
	see(ask(c, "SELECT $1::int", 1, (const char *[]){"x"}));
	see(ask(c, "SELECT 1", 1, (const char *[]){"x"}));
}

void
step_large(PGconn *c)
{
	char *text = malloc(LARGE + 1);
	const char *values[] = {text};
	PGresult *r;

	memset(text, 'x', LARGE);
	text[LARGE] = '\0';
	for (int format = 0; format < 2; format++) {
		r = PQexecParams(
		    c, "SELECT $1::text", 1, NULL, values, NULL, NULL, format);
		saw("%d %d", PQgetlength(r, 0, 0),
		    memcmp(PQgetvalue(r, 0, 0), text, LARGE) == 0);
		PQclear(r);
	}
	r = PQexec(c, "SELECT repeat('y', 50000000), 1");
	saw("%d %s", PQgetlength(r, 0, 0), PQgetvalue(r, 0, 1));
	PQclear(r);
	see_single_rows(c, "SELECT n FROM generate_series(1, 300000) n", 1);
	free(text);
}

void
step_columns(PGconn *c)
{
	const char *values[COLUMNS_MAX];
	char sql[COLUMNS_MAX * 8] = "SELECT $1";

	values[0] = "0";
	for (int i = 1; i < COLUMNS_MAX; i++) {
		size_t len = strlen(sql);

		values[i] = i % 7 == 0 ? NULL : "7";
		snprintf(sql + len, sizeof(sql) - len, ",$%d", i + 1);
	}
	see(ask(c, sql, COLUMNS_MAX, values));
	see_query(c, "SELECT * FROM (VALUES (1)) a(a), (VALUES (2)) b(a)");
}

void
step_notices(PGconn *c)
{
	see_query(c, "COMMIT");
	see_query(c, "DROP TABLE IF EXISTS nowhere");
	see_query(c, "SELECT speak('NOTICE', 'a word')");
	see_query(
	    c, "SELECT speak('WARNING', 'two'), speak('NOTICE', 'three')");
	see(ask(
	    c, "SELECT speak($1, $2)", 2, (const char *[]){"WARNING", "four"}));
	see_query(c, "SET client_min_messages = error");
	see_query(c, "SELECT speak('WARNING', 'unheard')");
}

void
step_settings(PGconn *c)
{
	static const char *const script[] = {"SET TimeZone = 'Asia/Tokyo'",
	    "SELECT instant, day FROM every_type WHERE n = 1",
	    "SET DateStyle = 'SQL, DMY'", "SET IntervalStyle = iso_8601",
	    "SELECT instant, day, span FROM every_type WHERE n = 1",
	    "SET search_path = harbour, public",
	    "SELECT * FROM products LIMIT 1", "RESET search_path",
	    "SELECT * FROM products ORDER BY id LIMIT 1", "SET ROLE clerk",
	    "SELECT current_user, session_user", "SELECT * FROM ledger",
	    "RESET ROLE", "SET extra_float_digits = -10",
	    "SELECT 1.0::float8 / 3", "SET bytea_output = escape",
	    "SELECT bytes FROM every_type WHERE n = 1",
	    "SET application_name = 'a name'", "SET nonsense = 1",
	    "BEGIN; SET LOCAL TimeZone = 'Asia/Kabul'", "SHOW TimeZone",
	    "ROLLBACK", "SHOW TimeZone",
	    "SELECT set_config('TimeZone', 'Asia/Dili', false)", "DISCARD ALL"};

	for (size_t i = 0; i < sizeof(script) / sizeof(script[0]); i++) {
		see_query(c, script[i]);
		saw("TimeZone %s, DateStyle %s, IntervalStyle %s, strings %s",
		    PQparameterStatus(c, "TimeZone"),
		    PQparameterStatus(c, "DateStyle"),
		    PQparameterStatus(c, "IntervalStyle"),
		    PQparameterStatus(c, "standard_conforming_strings"));
	}
}

void
step_socket(PGconn *c)
{
	PGconn *near = connect_to(where.folder, "");

	(void)c;
	see_query(near, "SELECT id, name FROM products ORDER BY id");
	PQfinish(near);
}

void
step_empty(PGconn *c)
{
	static const char *const nothing[] = {"", ";;", "-- a comment",
	    "SELECT", "SELECT FROM products LIMIT 2", "SELECT 1 WHERE false",
	    "SELECT ''"};

	for (size_t i = 0; i < sizeof(nothing) / sizeof(nothing[0]); i++) {
		see_query(c, nothing[i]);
		see(ask(c, nothing[i], 0, NULL));
	}
}

/* The number of the function with these argument types. */
static int
function_number(PGconn *c, const char *signature)
{
	PGresult *r = ask(
	    c, "SELECT $1::regprocedure::oid", 1, (const char *[]){signature});
	int number = atoi(PQgetvalue(r, 0, 0));

	PQclear(r);
	return number;
}

void
step_functions(PGconn *c)
{
	PQArgBlock two[] = {{.len = 4, .isint = 1, .u.integer = 20},
	    {.len = 4, .isint = 1, .u.integer = 22}};
	char data[8] = "";
	int answer = 0, len = 0, object;

	see(PQfn(c, function_number(c, "int4pl(int,int)"), &answer, &len, 1,
	    two, 2));
	saw("%d in %d bytes", answer, len);
	two[1].u.integer = 0;
	see(PQfn(c, function_number(c, "int4div(int,int)"), &answer, &len, 1,
	    two, 2));
	see_words(PQfn(c, 1, &answer, &len, 1, two, 2));
	see_query(c, "BEGIN");
	saw("created %d", lo_create(c, NAMED) == NAMED);
	object = lo_open(c, NAMED, INV_READ | INV_WRITE);
	saw("wrote %d", lo_write(c, object, "harbour", 7));
	saw("at %d", lo_lseek(c, object, 2, SEEK_SET));
	len = lo_read(c, object, data, 4);
	saw("read %d %.4s", len, data);
	saw("closed %d, removed %d", lo_close(c, object), lo_unlink(c, NAMED));
	see_query(c, "COMMIT");
}

void
step_lexing(PGconn *c)
{
	static const char *const script[] = {
	    "SET standard_conforming_strings = off",
	    "SELECT 'a\\tb', E'\\\\', 'it\\'s'", "SET backslash_quote = off",
	    "SELECT 'it\\'s'", "DISCARD ALL", "SELECT 'a\\tb'"};

	for (size_t i = 0; i < sizeof(script) / sizeof(script[0]); i++) {
		see_query(c, script[i]);
		saw("strings %s",
		    PQparameterStatus(c, "standard_conforming_strings"));
	}
}
