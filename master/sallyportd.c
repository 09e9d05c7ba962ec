/*
 * sallyportd.c - the daemon's beginning: options, settings, background.
 *
 * One rule: what is wrong with the configuration is told on the terminal it
 * was started from, before anything is left running.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/log.h"
#include "master/check.h"
#include "master/start.h"
#include "master/supervise.h"
#include "master/version.h"
#include "worker/postgres/catalog/catalog.h"
#include "worker/worker.h"

enum { EXIT_USAGE = 2 };

struct options {
	const char *file;
	bool is_foreground, is_check, is_help, is_version;
};

struct option_row {
	const char *name, *other; /* "-c", or NULL */
	const char *value;	  /* what it takes, or NULL */
	const char *help;
	void (*set)(struct options *o, const char *value);
};

static void
set_foreground(struct options *o, const char *value)
{
	(void)value;
	o->is_foreground = true;
}

static void
set_file(struct options *o, const char *value)
{
	o->file = value;
}

static void
set_check(struct options *o, const char *value)
{
	(void)value;
	o->is_check = true;
}

static void
set_help(struct options *o, const char *value)
{
	(void)value;
	o->is_help = true;
}

static void
set_version(struct options *o, const char *value)
{
	(void)value;
	o->is_version = true;
}

static const struct option_row rows[] = {
    {"-f", NULL, NULL, "stay in the foreground, log to standard error too",
	set_foreground},
    {"-c", NULL, "FILE", "settings (" SYSCONF "/sallyport/sallyport.yaml)",
	set_file},
    {"-t", NULL, NULL, "check settings, identities, policies and examples",
	set_check},
    {"--help", "-h", NULL, "show this", set_help},
    {"--version", "-V", NULL, "show the version", set_version},
};

#define ROWS (sizeof(rows) / sizeof(*rows))

static void
usage_print(void)
{
	size_t i;

	fputs("usage: sallyportd [-f] [-c FILE]\n"
	      "       sallyportd -t [-c FILE]\n\n"
	      "A database access proxy for AI agents.\n\n",
	    stdout);
	for (i = 0; i < ROWS; i++)
		printf("  %-9s %-5s %s\n", rows[i].name,
		    rows[i].value == NULL ? "" : rows[i].value, rows[i].help);
	fputs("\nSIGHUP reloads, SIGTERM drains, SIGINT stops at once, "
	      "SIGUSR1 reopens logs.\n",
	    stdout);
}

static const struct option_row *
row_of(const char *word)
{
	size_t i;

	for (i = 0; i < ROWS; i++) {
		if (strcmp(word, rows[i].name) == 0 ||
		    (rows[i].other != NULL && strcmp(word, rows[i].other) == 0))
			return &rows[i];
	}
	return NULL;
}

static bool
options_parse(int argc, char **argv, struct options *out)
{
	int i;

	for (i = 1; i < argc; i++) {
		const struct option_row *row = row_of(argv[i]);

		if (row == NULL || (row->value != NULL && i + 1 == argc)) {
			fprintf(stderr,
			    "sallyportd: %s: %s; see `sallyportd --help`\n",
			    argv[i],
			    row == NULL ? "unknown option" : "needs a value");
			return false;
		}
		row->set(out, row->value != NULL ? argv[++i] : NULL);
	}
	return true;
}

/* What was wrong, on the terminal. */
static enum err
settings_read(const char *file, struct arena *a, struct settings *out)
{
	struct diagnostics *d = diagnostics_new(a);
	enum err e;
	size_t i;

	if (d == NULL)
		return ERR_MEMORY;
	e = settings_load(file, a, d, out);
	for (i = 0; i < diagnostics_count(d); i++)
		fprintf(stderr, "%s\n", diagnostics_line(d, i));
	if (e != ERR_NONE && diagnostics_count(d) == 0)
		fprintf(stderr, "%s: %s\n", file, err_text(e));
	return e;
}

/* The process that was started waits until the daemon is up, and passes its
 * failure on. */
static void
parent_wait(int report)
{
	char byte;
	ssize_t n = read(report, &byte, 1);

	_exit(n == 1 ? EXIT_SUCCESS : EXIT_FAILURE);
}

/* Fork twice: a daemon in a session of its own that can never get a
 * terminal. `report_out` is where it says that it is up. */
static enum err
background_go(int *report_out)
{
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) != 0)
		return ERR_SYSTEM;
	pid = fork();
	if (pid < 0)
		return ERR_SYSTEM;
	if (pid > 0) {
		close(ends[1]);
		parent_wait(ends[0]);
	}
	close(ends[0]);
	if (setsid() < 0 || (pid = fork()) < 0)
		return ERR_SYSTEM;
	if (pid > 0)
		_exit(EXIT_SUCCESS);
	*report_out = ends[1];
	return ERR_NONE;
}

static void
master_init(struct master *m, const struct settings *settings,
    const struct roles *roles, bool is_foreground)
{
	size_t i;

	memset(m, 0, sizeof(*m));
	m->settings = settings;
	m->roles = roles;
	m->is_foreground = is_foreground;
	for (i = 0; i < BOARD_PARTS; i++)
		m->board_files.parts[i] = -1;
	m->report = m->control = m->control_lock = m->broker = -1;
	m->alone = -1;
	m->wake[0] = m->wake[1] = -1;
	m->life[0] = m->life[1] = m->orders[0] = m->orders[1] = -1;
	m->publication.pipe = -1;
	for (i = 0; i < LISTENERS_MAX; i++)
		m->listeners[i] = -1;
	for (i = 0; i < UPSTREAMS_MAX; i++)
		m->catalogs[i] = -1;
}

static int
run(const struct options *options)
{
	static const struct roles roles = {
	    .worker = worker_main, .catalog = catalog_main};
	static struct master m;
	static struct settings settings;
	struct arena *a = arena_new(0);

	if (a == NULL || settings_read(options->file, a, &settings) != ERR_NONE)
		return EXIT_FAILURE;
	master_init(&m, &settings, &roles, options->is_foreground);
	if (!options->is_foreground &&
	    background_go(&m.report) != ERR_NONE) {
		perror("sallyportd: cannot go into the background");
		return EXIT_FAILURE;
	}
	umask(077);
	if (chdir("/") != 0)
		return EXIT_FAILURE;
	log_init("master", true);
	if (start_open(&m) != ERR_NONE)
		return EXIT_FAILURE;
	return supervise(&m);
}

int
main(int argc, char **argv)
{
	struct options options = {
	    .file = SYSCONF "/sallyport/sallyport.yaml"};

	if (!options_parse(argc, argv, &options))
		return EXIT_USAGE;
	if (options.is_help) {
		usage_print();
		return EXIT_SUCCESS;
	}
	if (options.is_version) {
		puts("sallyportd " SALLYPORT_VERSION);
		return EXIT_SUCCESS;
	}
	return options.is_check ? check_configuration(options.file)
				: run(&options);
}
