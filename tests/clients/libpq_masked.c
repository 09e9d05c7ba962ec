/*
 * libpq_masked.c - every way to read customers.
 */
#include <time.h>

#include "libpq.h"

#define CUSTOMERS                                                              \
	"SELECT id, email, card_number, birth_date, credit_limit, city "       \
	"FROM customers WHERE id <= 50 ORDER BY id"

static int
integer_at(const char *bytes, int len)
{
	int value = (signed char)bytes[0];

	for (int i = 1; i < len; i++)
		value = (int)((unsigned)value << 8 | (unsigned char)bytes[i]);
	return value;
}

/* A date in binary: days since 2000-01-01. */
static void
put_date(const char *bytes)
{
	time_t at = 946684800 + (time_t)integer_at(bytes, 4) * 86400;
	char text[16];

	strftime(text, sizeof(text), "%Y-%m-%d", gmtime(&at));
	fputs(text, stdout);
}

/* A positive numeric in binary: digits to the base of 10000. */
static void
put_numeric(const char *bytes)
{
	int count = integer_at(bytes, 2), weight = integer_at(bytes + 2, 2);
	double value = 0, unit = 1;

	for (int i = 0; i < weight; i++)
		unit *= 10000;
	for (int i = 0; i < count; i++, unit /= 10000)
		value += unit * integer_at(bytes + 8 + 2 * i, 2);
	printf("%.2f", value);
}

static void
show_binary(const PGresult *r, int row, int column)
{
	const char *value = PQgetvalue(r, row, column);

	switch (PQftype(r, column)) {
	case 23:
		printf("%d", integer_at(value, PQgetlength(r, row, column)));
		break;
	case 1082:
		put_date(value);
		break;
	case 1700:
		put_numeric(value);
		break;
	default:
		fputs(value, stdout);
	}
}

static void
show(const PGresult *r)
{
	for (int row = 0; row < PQntuples(r); row++) {
		fputs(step, stdout);
		for (int i = 0; i < PQnfields(r); i++) {
			putchar('|');
			if (PQfformat(r, i) == 1)
				show_binary(r, row, i);
			else
				fputs(PQgetvalue(r, row, i), stdout);
		}
		putchar('\n');
	}
	see_error(r);
}

static void
show_pending(PGconn *c)
{
	PGresult *r;

	while ((r = PQgetResult(c)) != NULL) {
		show(r);
		PQclear(r);
	}
}

void
way_plain(PGconn *c)
{
	PQsendQuery(c, CUSTOMERS);
	show_pending(c);
}

void
way_in_binary(PGconn *c)
{
	PQsendQueryParams(c, CUSTOMERS, 0, NULL, NULL, NULL, NULL, 1);
	show_pending(c);
}

void
way_row_by_row(PGconn *c)
{
	PQsendQueryParams(c, CUSTOMERS, 0, NULL, NULL, NULL, NULL, 1);
	PQsetSingleRowMode(c);
	show_pending(c);
}

void
way_pipelined(PGconn *c)
{
	PQenterPipelineMode(c);
	send_query(c, CUSTOMERS);
	PQpipelineSync(c);
	show_pending(c);
}

void
way_binary_cursor(PGconn *c)
{
	PQclear(PQexec(c, "BEGIN; DECLARE b BINARY CURSOR FOR " CUSTOMERS));
	for (int i = 0; i < 10; i++) {
		PQsendQuery(c, "FETCH 7 b");
		show_pending(c);
	}
}

void
way_prepared(PGconn *c)
{
	PQclear(PQprepare(c, "customers", CUSTOMERS, 0, NULL));
	PQsendQueryPrepared(c, "customers", 0, NULL, NULL, NULL, 1);
	show_pending(c);
}

void
way_copied(PGconn *c)
{
	PGresult *r =
	    PQexec(c, "COPY (" CUSTOMERS ") TO STDOUT (DELIMITER '|')");
	char *line;

	see_error(r);
	PQclear(r);
	while (PQgetCopyData(c, &line, 0) > 0) {
		printf("%s|%s", step, line);
		PQfreemem(line);
	}
	show_pending(c);
}
