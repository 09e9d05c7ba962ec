/*
 * libpq.c - the drivers' scenario with libpq, as near to the wire as a client
 * comes: pipeline and single-row mode, both formats, every field.
 *
 * usage: libpq MODE HOST FOLDER PORT USER DATABASE
 * MODE is `whole` or `masked`; FOLDER holds the Unix socket; the password is
 * in PGPASSWORD. Each line starts with the name of its step.
 */
#include <stdarg.h>
#include <string.h>

#include "libpq.h"

struct where where;
const char *step;
static bool has_stopped;

/* --- printing ------------------------------------------------------------- */

__attribute__((format(printf, 1, 2))) void
saw(const char *format, ...)
{
	va_list more;

	printf("%s: ", step);
	va_start(more, format);
	vprintf(format, more);
	va_end(more);
	putchar('\n');
}

/* Something that should work did not: the step is of no use. */
void
stopped(PGconn *c, const char *what)
{
	has_stopped = true;
	saw("STOPPED %s: %s", what, PQerrorMessage(c));
}

/* Newlines would begin lines that are not a step's. */
void
put_escaped(const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '\n')
			fputs("\\n", stdout);
		else
			putchar(*text);
	}
}

static void
put_value(const PGresult *r, int row, int column)
{
	const char *value = PQgetvalue(r, row, column);
	int len = PQgetlength(r, row, column);

	if (PQgetisnull(r, row, column)) {
		fputs(" NULL", stdout);
		return;
	}
	printf(" %d:", len);
	if (PQfformat(r, column) == 0) {
		put_escaped(value);
		return;
	}
	for (int i = 0; i < len; i++)
		printf("%02x", (unsigned char)value[i]);
}

static void
see_columns(const PGresult *r)
{
	for (int i = 0; i < PQnfields(r); i++)
		saw("column %s table %u.%d type %u size %d modifier %d "
		    "format %d",
		    PQfname(r, i), PQftable(r, i), PQftablecol(r, i),
		    PQftype(r, i), PQfsize(r, i), PQfmod(r, i),
		    PQfformat(r, i));
}

void
see_error(const PGresult *r)
{
	static const char fields[] = "SVCMDHPpqWsctdnFLR";

	for (const char *f = fields; *f != '\0'; f++) {
		const char *value = PQresultErrorField(r, *f);

		if (value == NULL)
			continue;
		printf("%s: error %c ", step, *f);
		put_escaped(value);
		putchar('\n');
	}
}

/* All there is to a result, which is freed. */
void
see(PGresult *r)
{
	saw("%s [%s] %s rows, %d parameters", PQresStatus(PQresultStatus(r)),
	    PQcmdStatus(r), PQcmdTuples(r), PQnparams(r));
	see_columns(r);
	for (int i = 0; i < PQntuples(r); i++) {
		printf("%s: row", step);
		for (int j = 0; j < PQnfields(r); j++)
			put_value(r, i, j);
		putchar('\n');
	}
	see_error(r);
	PQclear(r);
}

void
see_query(PGconn *c, const char *sql)
{
	see(PQexec(c, sql));
}

void
see_words(PGresult *r)
{
	saw("%s %s", PQresultErrorField(r, PG_DIAG_SQLSTATE),
	    PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY));
	PQclear(r);
}

/* --- connections ---------------------------------------------------------- */

static void
on_notice(void *unused, const PGresult *r)
{
	(void)unused;
	see_error(r);
}

PGconn *
connect_to(const char *host, const char *options)
{
	const char *names[] = {
	    "host", "port", "user", "dbname", "options", NULL};
	const char *values[] = {
	    host, where.port, where.user, where.database, options, NULL};
	PGconn *c = PQconnectdbParams(names, values, 0);

	if (PQstatus(c) != CONNECTION_OK)
		stopped(c, "connecting");
	PQsetNoticeReceiver(c, on_notice, NULL);
	return c;
}

PGconn *
connected(void)
{
	return connect_to(where.host, "");
}

/* One statement with text parameters of the server's choice. */
PGresult *
ask(PGconn *c, const char *sql, int count, const char *const *values)
{
	return PQexecParams(c, sql, count, NULL, values, NULL, NULL, 0);
}

/* Rows one at a time, of the rest only how many there were. */
void
see_single_rows(PGconn *c, const char *sql, int format)
{
	PGresult *r;
	int count = 0;

	if (PQsendQueryParams(c, sql, 0, NULL, NULL, NULL, NULL, format) == 0 ||
	    PQsetSingleRowMode(c) == 0)
		stopped(c, sql);
	while ((r = PQgetResult(c)) != NULL) {
		if (count++ < 3 || PQresultStatus(r) != PGRES_SINGLE_TUPLE)
			see(r);
		else
			PQclear(r);
	}
	saw("%d results", count);
}

void
cancel_now(PGconn *c)
{
	PGcancel *cancel = PQgetCancel(c);
	char error[256] = "";

	if (PQcancel(cancel, error, sizeof(error)) == 0)
		saw("could not cancel: %s", error);
	PQfreeCancel(cancel);
}

/* --- all of it ------------------------------------------------------------ */

static const struct {
	const char *mode, *name;
	void (*run)(PGconn *c);
} steps[] = {
    {"whole", "connection", step_connection},
    {"whole", "types", step_types},
    {"whole", "binary", step_binary},
    {"whole", "parameters", step_parameters},
    {"whole", "prepared", step_prepared},
    {"whole", "transaction", step_transaction},
    {"whole", "cursor", step_cursor},
    {"whole", "batch", step_batch},
    {"whole", "several", step_several},
    {"whole", "copy", step_copy},
    {"whole", "notify", step_notify},
    {"whole", "cancel", step_cancel},
    {"whole", "errors", step_errors},
    {"whole", "large", step_large},
    {"whole", "columns", step_columns},
    {"whole", "notices", step_notices},
    {"whole", "settings", step_settings},
    {"whole", "lexing", step_lexing},
    {"whole", "two", step_two},
    {"whole", "socket", step_socket},
    {"whole", "empty", step_empty},
    {"whole", "functions", step_functions},
    {"masked", "plain", way_plain},
    {"masked", "in_binary", way_in_binary},
    {"masked", "row_by_row", way_row_by_row},
    {"masked", "pipelined", way_pipelined},
    {"masked", "binary_cursor", way_binary_cursor},
    {"masked", "prepared", way_prepared},
    {"masked", "copied", way_copied},
};

int
main(int count, char **given)
{
	if (count != 7)
		return 2;
	where.host = given[2];
	where.folder = given[3];
	where.port = given[4];
	where.user = given[5];
	where.database = given[6];
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		PGconn *c;

		if (strcmp(steps[i].mode, given[1]) != 0)
			continue;
		step = steps[i].name;
		c = connected();
		steps[i].run(c);
		PQfinish(c);
	}
	return has_stopped;
}
