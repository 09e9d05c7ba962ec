/*
 * libpq_flow.c - statements after and beside each other.
 */
#include <poll.h>
#include <string.h>
#include <time.h>

#include "libpq.h"

enum { PATIENCE_S = 20 };

void
step_prepared(PGconn *c)
{
	see(PQprepare(c, "orders of",
	    "SELECT count(*), max(status) FROM orders WHERE customer_id = $1",
	    0, NULL));
	see(PQdescribePrepared(c, "orders of"));
	for (int i = 0; i < 20; i++) {
		char number[16];
		const char *values[] = {number};

		snprintf(number, sizeof(number), "%d", i);
		see(PQexecPrepared(
		    c, "orders of", 1, values, NULL, NULL, i % 2));
	}
	see(PQprepare(c, "orders of", "SELECT 'twice'", 0, NULL));
	see_query(c, "PREPARE three AS SELECT $1::int + 3");
	see_query(c, "EXECUTE three(4)");
	see(PQdescribePrepared(c, "three"));
	see_words(PQexecPrepared(c, "nowhere", 0, NULL, NULL, NULL, 0));
	see_query(c, "DEALLOCATE \"orders of\"");
	see_words(PQdescribePrepared(c, "orders of"));
	see(PQprepare(c, "", "SELECT $1::text || $2", 0, NULL));
	see(PQexecPrepared(
	    c, "", 2, (const char *[]){"a", NULL}, NULL, NULL, 0));
}

void
step_transaction(PGconn *c)
{
	static const char *const script[] = {"TRUNCATE ledger", "BEGIN",
	    "INSERT INTO ledger VALUES (1, 'kept', 1)", "SAVEPOINT here",
	    "INSERT INTO ledger VALUES (2, 'lost', 1)", "SELECT 1/0",
	    "SELECT 'refused'", "ROLLBACK TO here", "RELEASE here",
	    "INSERT INTO ledger VALUES (3, 'kept', 1)", "COMMIT", "BEGIN",
	    "SELECT 1/0", "COMMIT", "BEGIN ISOLATION LEVEL SERIALIZABLE",
	    "SHOW transaction_isolation", "DELETE FROM ledger", "ROLLBACK",
	    "BEGIN READ ONLY", "DELETE FROM ledger", "ABORT",
	    "SELECT * FROM ledger ORDER BY id", "ROLLBACK"};

	for (size_t i = 0; i < sizeof(script) / sizeof(script[0]); i++) {
		see_query(c, script[i]);
		saw("transaction status %d", PQtransactionStatus(c));
	}
}

void
step_cursor(PGconn *c)
{
	static const char *const script[] = {"BEGIN",
	    "DECLARE part SCROLL CURSOR FOR TABLE products ORDER BY id",
	    "FETCH 3 part", "FETCH BACKWARD 2 part", "MOVE 10 part",
	    "FETCH part", "FETCH LAST FROM part", "CLOSE part", "COMMIT",
	    "FETCH part"};

	for (size_t i = 0; i < sizeof(script) / sizeof(script[0]); i++) {
		see_query(c, script[i]);
		if (i == 1)
			see(PQdescribePortal(c, "part"));
	}
	see_single_rows(c, "SELECT * FROM orders ORDER BY id", 0);
	see_single_rows(c, "SELECT * FROM orders ORDER BY id", 1);
	see_single_rows(
	    c, "SELECT 100 / (50 - n) FROM generate_series(1, 99) n", 0);
}

/* What a pipeline answers, up to `syncs` synchronisations. */
static void
see_pipeline(PGconn *c, int syncs)
{
	int nothing = 0;

	while (syncs > 0 && nothing < 2) {
		PGresult *r = PQgetResult(c);
		bool is_sync =
		    r != NULL && PQresultStatus(r) == PGRES_PIPELINE_SYNC;

		nothing = r == NULL ? nothing + 1 : 0;
		if (r != NULL)
			see(r);
		syncs -= is_sync;
	}
	saw("pipeline status %d, transaction status %d", PQpipelineStatus(c),
	    PQtransactionStatus(c));
}

static void
send_twice(PGconn *c, int n)
{
	char number[16];
	const char *values[] = {number};

	snprintf(number, sizeof(number), "%d", n);
	if (PQsendQueryParams(c, "SELECT 2 * $1::int", 1, NULL, values, NULL,
		NULL, n % 2) == 0)
		stopped(c, "sending");
}

void
send_query(PGconn *c, const char *sql)
{
	if (PQsendQueryParams(c, sql, 0, NULL, NULL, NULL, NULL, 0) == 0)
		stopped(c, sql);
}

void
step_batch(PGconn *c)
{
	see_query(c, "TRUNCATE ledger");
	PQenterPipelineMode(c);
	for (int i = 0; i < 300; i++)
		send_twice(c, i);
	PQpipelineSync(c);
	see_pipeline(c, 1);

	send_query(c, "INSERT INTO ledger VALUES (1, 'undone', 1)");
	send_query(c, "SELECT 1/0");
	send_query(c, "SELECT 'skipped'");
	PQpipelineSync(c);
	send_query(c, "BEGIN");
	send_query(c, "INSERT INTO ledger VALUES (2, 'undone', 1)");
	PQpipelineSync(c);
	send_query(c, "SELEC 1");
	PQsendPrepare(c, "skipped", "SELECT 1", 0, NULL);
	PQpipelineSync(c);
	send_query(c, "SELECT 'in a failed transaction'");
	PQpipelineSync(c);
	send_query(c, "ROLLBACK");
	PQsendPrepare(c, "here", "SELECT $1::date + $2::int", 0, NULL);
	PQsendDescribePrepared(c, "here");
	PQsendQueryPrepared(
	    c, "here", 2, (const char *[]){"2024-02-28", "2"}, NULL, NULL, 0);
	PQpipelineSync(c);
	see_pipeline(c, 5);

	send_query(c, "SELECT 'flushed'");
	PQsendFlushRequest(c);
	see(PQgetResult(c));
	PQgetResult(c);
	PQpipelineSync(c);
	see_pipeline(c, 1);
	saw("left: %d", PQexitPipelineMode(c));
	see_query(c, "SELECT count(*) FROM ledger");
}

static void
see_all(PGconn *c, const char *sql)
{
	PGresult *r;

	if (PQsendQuery(c, sql) == 0)
		stopped(c, sql);
	while ((r = PQgetResult(c)) != NULL)
		see(r);
	saw("transaction status %d", PQtransactionStatus(c));
}

void
step_several(PGconn *c)
{
	see_all(c, "SELECT 1 AS a; SELECT 2, 'x'; TRUNCATE ledger;; SELECT 3");
	see_all(c, "INSERT INTO ledger VALUES (9, 'undone', 1); SELECT 1/0; "
		   "SELECT 2");
	see_all(c, "INSERT INTO ledger VALUES (8, 'kept', 1); COMMIT; "
		   "INSERT INTO ledger VALUES (9, 'undone', 1); SELEC");
	see_all(c, "BEGIN; INSERT INTO ledger VALUES (9, 'kept', 1); COMMIT; "
		   "SELECT 1/0");
	see_all(c, "TABLE ledger");
}

/* Wait until bytes come. */
static bool
await(PGconn *c)
{
	struct pollfd p = {.fd = PQsocket(c), .events = POLLIN};

	return poll(&p, 1, PATIENCE_S * 1000) == 1 && PQconsumeInput(c) == 1;
}

void
step_notify(PGconn *c)
{
	PGconn *other = connected();
	int count = 0;

	see_query(c, "LISTEN gale");
	see_query(other, "NOTIFY gale, 'one'");
	see_query(
	    other, "BEGIN; NOTIFY gale; NOTIFY gale, 'naïve 東京'; COMMIT");
	see_query(c, "NOTIFY gale, 'to itself'");
	/* nothing is asked: they come by themselves */
	while (count < 4) {
		PGnotify *n = PQnotifies(c);

		if (n == NULL && !await(c)) {
			stopped(c, "waiting for notifications");
			break;
		}
		if (n == NULL)
			continue;
		count++;
		saw("%s [%s] from %s", n->relname, n->extra,
		    n->be_pid == PQbackendPID(other) ? "the other"
		    : n->be_pid == PQbackendPID(c)   ? "itself"
						     : "a stranger");
		PQfreemem(n);
	}
	see_query(c, "UNLISTEN *");
	PQfinish(other);
}

/* Is the statement of this process asleep? Seen by another connection. */
static bool
is_asleep(PGconn *other, PGconn *c)
{
	char pid[32];
	PGresult *r;
	bool found;

	snprintf(pid, sizeof(pid), "%d", PQbackendPID(c));
	r = ask(other,
	    "SELECT 1 FROM pg_stat_activity WHERE pid = $1 AND "
	    "wait_event = 'PgSleep'",
	    1, (const char *[]){pid});
	found = PQntuples(r) == 1;
	PQclear(r);
	return found;
}

void
step_cancel(PGconn *c)
{
	PGconn *other = connected();
	time_t end = time(NULL) + PATIENCE_S;
	PGresult *r;

	for (int round = 0; round < 2; round++) {
		PQsendQuery(c, "SELECT 1; SELECT pg_sleep(60); SELECT 2");
		while (!is_asleep(other, c) && time(NULL) < end)
			;
		cancel_now(c);
		while ((r = PQgetResult(c)) != NULL)
			see(r);
	}
	cancel_now(c); /* nothing runs: nothing happens */
	see_query(other, "SELECT 'still here'");
	see_query(other, "SET statement_timeout = 50");
	see_query(other, "SELECT pg_sleep(60)");
	PQfinish(other);
}

void
step_two(PGconn *c)
{
	PGconn *other = connected();

	see_query(c, "TRUNCATE ledger");
	see_query(c, "BEGIN; INSERT INTO ledger VALUES (1, 'by one', 1)");
	see_query(other, "SELECT count(*) FROM ledger");
	PQsendQuery(other, "INSERT INTO ledger VALUES (1, 'by another', 1)");
	see_query(c, "COMMIT");
	see(PQgetResult(other));
	PQgetResult(other);
	see_query(other, "SELECT * FROM ledger");
	PQfinish(other);
}
