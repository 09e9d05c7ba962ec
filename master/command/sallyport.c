/*
 * sallyport.c - the operator's command: which subcommand, with what.
 *
 * One rule: a table for subcommands, a table for options, no switch.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "master/command/command.h"
#include "master/version.h"

static const struct subcommand subcommands[] = {
    {.name = "status",
	.usage = "[--json]",
	.summary = "show the daemon, its policy and its workers",
	.help = "Shows the policy's generation, what the last reload said, "
		"workers by state,\nheld requests and counters.",
	.run = run_status},
    {.name = "sessions",
	.usage = "[--json]",
	.summary = "show who is connected and what runs",
	.help = "One line a session: who, through which agent, where, since "
		"when, its counters\nand its last statement with literals "
		"left out.",
	.run = run_sessions},
    {.name = "kill",
	.usage = "SESSION",
	.summary = "end a session",
	.help = "Ends the session of that id (see `sallyport sessions`). Only "
		"root or the\ndaemon's account may.",
	.least = 1,
	.most = 1,
	.run = run_kill},
    {.name = "reload",
	.usage = "[--json]",
	.summary = "load identities, policies and certificates anew",
	.help = "Waits for the result. A refused reload leaves the policy in "
		"force and prints\nevery error; exit status 1. Only root or "
		"the daemon's account may.",
	.run = run_reload},
    {.name = "approvals",
	.usage = "[--json]",
	.summary = "show statements that wait for a person",
	.help = "One block a request: number, who, where, which rule, the "
		"exact statement, how\nlong it waits still.",
	.run = run_approvals},
    {.name = "approve",
	.usage = "N",
	.summary = "let held statement N go on",
	.help = "You are whoever your operating system account is in "
		"identities.yaml (`uid:`, or\nthe account's name). Nobody "
		"approves a request of their own.",
	.least = 1,
	.most = 1,
	.run = run_approve},
    {.name = "deny",
	.usage = "N",
	.summary = "refuse held statement N",
	.help = "The client gets an error that names the rule; its session "
		"goes on.",
	.least = 1,
	.most = 1,
	.run = run_deny},
    {.name = "explain",
	.usage = "-i IDENTITY -u UPSTREAM [-d DATABASE] \"SQL\"",
	.summary = "what would be decided about a statement, and why",
	.help = "Shows operations, relations, traits, canonical text, every "
		"matching rule with\nits place, and the verdict, by the files "
		"as they are now. Nothing runs, no daemon\nis needed. IDENTITY "
		"is alice, copilot, or alice+copilot.",
	.least = 1,
	.most = 1,
	.run = run_explain},
    {.name = "test",
	.usage = "FILE...",
	.summary = "run the examples in files",
	.help = "Exit status 1 when one does not come out as expected.",
	.least = 1,
	.most = -1,
	.run = run_test},
    {.name = "verify",
	.usage = "[-k KEYFILE] [--part] [--json] FILE...",
	.summary = "are all audit records there, as they were written?",
	.help = "Reads audit logs in the order given (-: standard input), one "
		"record a line, as\nJSON or as syslog has it, and names every "
		"record that was changed, added,\nremoved or moved. The key is "
		"that of audit.key_file. Exit status 1: something is\nnot as "
		"written.",
	.least = 1,
	.most = -1,
	.run = run_verify},
    {.name = "passwd",
	.usage = "NAME",
	.summary = "make a line for identities.yaml",
	.help = "Asks for a password twice on a terminal, or reads one line "
		"of standard input,\nand prints the entry. Nothing is "
		"changed.",
	.least = 1,
	.most = 1,
	.run = run_passwd},
};

#define SUBCOMMANDS (sizeof(subcommands) / sizeof(*subcommands))

struct option_row {
	const char *name;
	const char *value;  /* what it takes; NULL: nothing */
	const char *help;
	size_t offset;	    /* in struct arguments */
};

#define OPTION(name, value, help, field)                                       \
	{name, value, help, offsetof(struct arguments, field)}

static const struct option_row options[] = {
    OPTION("-c", "FILE", "settings (" SYSCONF "/sallyport/sallyport.yaml)",
	config),
    OPTION("-s", "SOCKET", "control socket (the one in the settings)", socket),
    OPTION("-i", "IDENTITY", "explain: whose statement", identity),
    OPTION("-u", "UPSTREAM", "explain: where it would run", upstream),
    OPTION("-d", "DATABASE", "explain: in which database", database),
    OPTION("-k", "KEYFILE", "verify: the audit key (that of the settings)",
	key_file),
    OPTION("--part", NULL, "verify: sessions may begin before the files, and "
	"go on behind", is_part),
    OPTION("--json", NULL, "output for programs", is_json),
    OPTION("--help", NULL, "show help", is_help),
    OPTION("-h", NULL, NULL, is_help),
};

#define OPTIONS (sizeof(options) / sizeof(*options))

int
command_fail(const char *format, ...)
{
	va_list arguments;

	fputs("sallyport: ", stderr);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	return EXIT_USAGE;
}

static void
options_print(FILE *to)
{
	size_t i;

	fputs("\noptions:\n", to);
	for (i = 0; i < OPTIONS; i++) {
		if (options[i].help != NULL)
			fprintf(to, "  %-7s %-9s %s\n", options[i].name,
			    options[i].value == NULL ? "" : options[i].value,
			    options[i].help);
	}
}

static void
usage_print(FILE *to)
{
	size_t i;

	fputs("usage: sallyport SUBCOMMAND [options] ...\n\n", to);
	for (i = 0; i < SUBCOMMANDS; i++)
		fprintf(to, "  %-10s %s\n", subcommands[i].name,
		    subcommands[i].summary);
	options_print(to);
	fputs("\n`sallyport SUBCOMMAND --help` tells more.\n", to);
}

static void
subcommand_print(const struct subcommand *s)
{
	printf("usage: sallyport %s %s\n\n%s.\n\n%s\n", s->name, s->usage,
	    s->summary, s->help);
	options_print(stdout);
}

static int
subcommand_unknown(const char *word)
{
	const char *names[SUBCOMMANDS], *near;
	size_t i;

	for (i = 0; i < SUBCOMMANDS; i++)
		names[i] = subcommands[i].name;
	near = text_suggest(text_of(word), names, SUBCOMMANDS);
	if (near != NULL)
		return command_fail("%s: no such subcommand (did you mean "
				    "`%s`?); see `sallyport --help`",
		    word, near);
	return command_fail(
	    "%s: no such subcommand; see `sallyport --help`", word);
}

static const struct subcommand *
subcommand_named(const char *name)
{
	size_t i;

	for (i = 0; i < SUBCOMMANDS; i++) {
		if (strcmp(subcommands[i].name, name) == 0)
			return &subcommands[i];
	}
	return NULL;
}

static const struct option_row *
option_named(const char *word)
{
	size_t i;

	for (i = 0; i < OPTIONS; i++) {
		if (strcmp(options[i].name, word) == 0)
			return &options[i];
	}
	return NULL;
}

/* Take one option at argv[*i]; false, told: it is wrong. */
static bool
option_take(int argc, char **argv, int *i, struct arguments *a)
{
	const struct option_row *row = option_named(argv[*i]);
	char *field;

	if (row == NULL) {
		command_fail("%s: unknown option; see `sallyport --help`",
		    argv[*i]);
		return false;
	}
	field = (char *)a + row->offset;
	if (row->value == NULL) {
		*(bool *)field = true;
		return true;
	}
	if (*i + 1 >= argc) {
		command_fail("%s needs %s", argv[*i], row->value);
		return false;
	}
	*(const char **)(void *)field = argv[++*i];
	return true;
}

/* Options may stand anywhere before `--`; words keep their order. */
static bool
arguments_parse(int argc, char **argv, struct arguments *a)
{
	bool is_over = false;
	int i;

	a->words = argv; /* words move to the front, never past i */
	for (i = 1; i < argc; i++) {
		if (!is_over && strcmp(argv[i], "--") == 0)
			is_over = true;
		else if (is_over || argv[i][0] != '-' || argv[i][1] == '\0')
			a->words[a->word_count++] = argv[i];
		else if (!option_take(argc, argv, &i, a))
			return false;
	}
	return true;
}

static int
subcommand_run(const struct subcommand *s, struct arguments *a)
{
	a->words++;
	a->word_count--;
	if (a->is_help) {
		subcommand_print(s);
		return EXIT_DONE;
	}
	if (a->word_count < s->least ||
	    (s->most >= 0 && a->word_count > s->most))
		return command_fail(
		    "usage: sallyport %s %s; see `sallyport %s --help`",
		    s->name, s->usage, s->name);
	return s->run(a);
}

int
main(int argc, char **argv)
{
	struct arguments a = {
	    .config = SYSCONF "/sallyport/sallyport.yaml"};
	const struct subcommand *s;

	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		puts("sallyport " SALLYPORT_VERSION);
		return EXIT_DONE;
	}
	if (!arguments_parse(argc, argv, &a))
		return EXIT_USAGE;
	if (a.word_count == 0) {
		usage_print(a.is_help ? stdout : stderr);
		return a.is_help ? EXIT_DONE : EXIT_USAGE;
	}
	s = subcommand_named(a.words[0]);
	if (s == NULL)
		return subcommand_unknown(a.words[0]);
	return subcommand_run(s, &a);
}
