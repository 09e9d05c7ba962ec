/*
 * libpq_copy.c - COPY, in and out.
 */
#include <stdlib.h>
#include <string.h>

#include "libpq.h"

/* Everything a COPY TO STDOUT gives, appended; its length. */
static size_t
copy_out(PGconn *c, const char *sql, char *into, size_t size)
{
	PGresult *r = PQexec(c, sql);
	size_t len = 0;
	char *data;
	int n;

	saw("%s: %d columns, binary %d", PQresStatus(PQresultStatus(r)),
	    PQnfields(r), PQbinaryTuples(r));
	if (PQresultStatus(r) != PGRES_COPY_OUT) {
		see(r);
		return 0;
	}
	PQclear(r);
	while ((n = PQgetCopyData(c, &data, 0)) > 0) {
		if (len + (size_t)n > size)
			abort();
		memcpy(into + len, data, (size_t)n);
		len += (size_t)n;
		PQfreemem(data);
	}
	see(PQgetResult(c));
	PQgetResult(c);
	return len;
}

/* `complaint`: give up with these words. */
static void
copy_in(PGconn *c, const char *sql, const char *data, size_t len,
    const char *complaint)
{
	PGresult *r = PQexec(c, sql);

	if (PQresultStatus(r) != PGRES_COPY_IN) {
		see(r);
		return;
	}
	PQclear(r);
	for (size_t at = 0; at < len; at += 100)
		PQputCopyData(
		    c, data + at, (int)(len - at < 100 ? len - at : 100));
	PQputCopyEnd(c, complaint);
	while ((r = PQgetResult(c)) != NULL)
		see(r);
}

static void
copy_there_and_back(PGconn *c, const char *format)
{
	static char data[65536];
	char sql[128];
	size_t len;

	snprintf(
	    sql, sizeof(sql), "COPY every_type TO STDOUT (FORMAT %s)", format);
	len = copy_out(c, sql, data, sizeof(data));
	printf("%s: ", step);
	for (size_t i = 0; i < len; i++)
		printf("%02x", (unsigned char)data[i]);
	putchar('\n');
	snprintf(sql, sizeof(sql), "COPY again FROM STDIN (FORMAT %s)", format);
	copy_in(c, sql, data, len, NULL);
}

/* Cancelled while its data comes: how much came before is not told. */
static void
cancel_copy_out(PGconn *c)
{
	char *data;
	int n;

	PQclear(
	    PQexec(c, "COPY (SELECT generate_series(1, 100000000)) TO STDOUT"));
	n = PQgetCopyData(c, &data, 0);
	saw("first: %.*s", n > 0 ? n - 1 : 0, n > 0 ? data : "");
	PQfreemem(data);
	cancel_now(c);
	while ((n = PQgetCopyData(c, &data, 0)) > 0)
		PQfreemem(data);
	see(PQgetResult(c));
	PQgetResult(c);
}

static void
cancel_copy_in(PGconn *c)
{
	PGresult *r = PQexec(c, "COPY ledger FROM STDIN");

	if (PQresultStatus(r) == PGRES_COPY_IN) {
		PQclear(r);
		PQputCopyData(c, "70\tx\t1\t1\n", 9);
		cancel_now(c);
		PQputCopyEnd(c, "given up");
		r = PQgetResult(c);
		/* the cancel and the end may come in either order */
		saw("%s %s", PQresStatus(PQresultStatus(r)),
		    PQresultErrorField(r, PG_DIAG_SQLSTATE));
		PQclear(r);
		PQgetResult(c);
		return;
	}
	see(r);
}

void
step_copy(PGconn *c)
{
	static char data[1000];
	static const char *const wrong[] = {"1\ttwice\t1\t\\N\n",
	    "not a number\n", "2\tx\n", "2\tx\t-1\t\\N\n", "\\.\n"};

	see_query(c, "CREATE TEMP TABLE again (LIKE every_type)");
	copy_there_and_back(c, "text");
	copy_there_and_back(c, "csv");
	copy_there_and_back(c, "binary");
	see_query(c, "SELECT e.n, count(*), bool_and(a::text = e::text) FROM "
		     "again a JOIN every_type e USING (n) GROUP BY e.n");
	saw("%.*s",
	    (int)copy_out(c,
		"COPY (SELECT 1, 'x' WHERE true) TO STDOUT "
		"(FORMAT csv, HEADER)",
		data, sizeof(data)),
	    data);
	copy_out(c, "COPY nowhere TO STDOUT", data, sizeof(data));
	copy_out(c,
	    "COPY (SELECT 1 / (3 - n) FROM generate_series(1, 5) n) "
	    "TO STDOUT",
	    data, sizeof(data));
	see_query(c, "TRUNCATE ledger");
	copy_in(c, "COPY ledger (id, what) FROM STDIN CSV", "1,\"a,b\"\n3,c\n",
	    12, NULL);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		copy_in(c, "COPY ledger FROM STDIN", wrong[i], strlen(wrong[i]),
		    NULL);
	copy_in(c, "COPY ledger FROM STDIN", "7\tx\t1\t1\n", 8, "given up");
	copy_in(c, "SELECT 1; COPY ledger FROM STDIN; SELECT 2", "", 0, NULL);
	cancel_copy_out(c);
	cancel_copy_in(c);
	see_query(c, "SELECT * FROM ledger ORDER BY id");
}
