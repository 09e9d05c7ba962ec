/*
 * libpq.h - the drivers' scenario with libpq: what its parts share.
 *
 *   libpq.c         printing, connecting, the table of steps
 *   libpq_values.c  values, settings, complaints
 *   libpq_flow.c    statements after and beside each other
 *   libpq_copy.c    COPY
 *   libpq_masked.c  ways to read customers
 */
#ifndef SALLYPORT_TESTS_LIBPQ_H
#define SALLYPORT_TESTS_LIBPQ_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdio.h>

struct where { /* as the command line told */
	const char *host, *folder, *port, *user, *database;
};
extern struct where where;
extern const char *step; /* the name of the one that runs */

/* --- libpq.c */
/* One line of what this step saw. */
void saw(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Something that should work did not: the step is of no use. */
void stopped(PGconn *c, const char *what);
/* Newlines would begin lines that are not a step's. */
void put_escaped(const char *text);
/* All there is to a result, which is freed. */
void see(PGresult *r);
void see_query(PGconn *c, const char *sql);
/* Every field of an error or a notice. */
void see_error(const PGresult *r);
/* Only its SQLSTATE and message, freed: where in its source the server would
 * have found a name missing, Sallyport cannot tell. */
void see_words(PGresult *r);
/* The first of the rows that come one at a time, and how many there were. */
void see_single_rows(PGconn *c, const char *sql, int format);
PGconn *connect_to(const char *host, const char *options);
PGconn *connected(void);
/* One statement with text parameters of the server's choice. */
PGresult *ask(PGconn *c, const char *sql, int count, const char *const *values);
void cancel_now(PGconn *c);

/* --- libpq_flow.c */
/* Send it in a pipeline. */
void send_query(PGconn *c, const char *sql);

/* --- the steps, each with a connection of its own */
void step_connection(PGconn *c);
void step_types(PGconn *c);
void step_binary(PGconn *c);
void step_parameters(PGconn *c);
void step_errors(PGconn *c);
void step_large(PGconn *c);
void step_columns(PGconn *c);
void step_notices(PGconn *c);
void step_settings(PGconn *c);
void step_socket(PGconn *c);
void step_empty(PGconn *c);
void step_functions(PGconn *c);
void step_lexing(PGconn *c);
void step_prepared(PGconn *c);
void step_transaction(PGconn *c);
void step_cursor(PGconn *c);
void step_batch(PGconn *c);
void step_several(PGconn *c);
void step_notify(PGconn *c);
void step_cancel(PGconn *c);
void step_two(PGconn *c);
void step_copy(PGconn *c);
void way_plain(PGconn *c);
void way_in_binary(PGconn *c);
void way_row_by_row(PGconn *c);
void way_pipelined(PGconn *c);
void way_binary_cursor(PGconn *c);
void way_prepared(PGconn *c);
void way_copied(PGconn *c);

#endif
