/*
 * command.h - the operator's command: arguments, subcommands, output.
 *
 * Exit status: 0 done; 1 the answer is no (refused, an example failed, a
 * statement would be denied is an answer and 0); 2 usage or failure.
 */
#ifndef SALLYPORT_COMMAND_H
#define SALLYPORT_COMMAND_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { EXIT_DONE = 0, EXIT_NO = 1, EXIT_USAGE = 2 };

struct arguments {
	const char *config, *socket;		   /* -c, -s */
	const char *identity, *upstream, *database; /* -i, -u, -d */
	const char *key_file;			   /* -k */
	bool is_part;				   /* --part */
	bool is_json, is_help;
	char **words; /* what follows the subcommand's name */
	int word_count;
};

struct subcommand {
	const char *name;
	const char *usage; /* what follows the name */
	const char *summary;
	const char *help; /* more lines for --help */
	int least, most;  /* words it takes; most -1: any number */
	int (*run)(const struct arguments *a);
};

int run_status(const struct arguments *a);
int run_sessions(const struct arguments *a);
int run_kill(const struct arguments *a);
int run_reload(const struct arguments *a);
int run_approvals(const struct arguments *a);
int run_approve(const struct arguments *a);
int run_deny(const struct arguments *a);
int run_explain(const struct arguments *a);
int run_test(const struct arguments *a);
int run_passwd(const struct arguments *a);
int run_verify(const struct arguments *a);

/* "sallyport: …" on standard error; returns EXIT_USAGE. */
int command_fail(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

/* --- client.c: asking the daemon ------------------------------------------ */

/* A request for this command, to which members may be added. */
json_t *client_request(const char *command);

/* Send `request` (taken over) and wait for the reply. NULL: it was told why
 * on standard error, exit with *status_out. A refusal is such a NULL unless
 * --json asked for it, when it has been printed. */
json_t *client_ask(
    const struct arguments *a, json_t *request, int *status_out);

/* Ask, and print the reply, or its `member`: as it is when --json asks for that,
 * else with `print`, which answers with the exit status. Answers likewise. */
int client_show(const struct arguments *a, json_t *request, const char *member,
    int (*print)(const struct arguments *a, const json_t *what));

/* As it is, for --json. */
void json_print(const json_t *value);

/* --- table.c: output for people ------------------------------------------- */

enum { TABLE_COLUMNS_MAX = 12 };

struct table;

/* Columns' titles; a cell of a column longer than `most` characters is cut
 * (0: never). The caller frees with table_print(). NULL: memory. */
struct column_title {
	const char *title;
	unsigned most;
};
struct table *table_new(const struct column_title *titles, size_t count);

/* The next cell, row by row. Control characters are shown as '?': what is
 * shown was written by clients. */
void table_cell(struct table *t, const char *text);

/* Print and free it. */
void table_print(struct table *t, FILE *to);

/* One text without control characters, `most` characters at the most (0:
 * all), printed. */
void text_print(FILE *to, const char *text, unsigned most);

/* A member as text, "" when it is not there. */
const char *member_text(const json_t *object, const char *key);
int64_t member_number(const json_t *object, const char *key);

/* "42s", "5m", "3h10m", "2d4h" between two times in ms; "-" when from is 0. */
void age_write(int64_t from, int64_t to, char out[24]);
int64_t now_ms(void);

#endif
