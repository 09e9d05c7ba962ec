/*
 * verify.c - `sallyport verify`: files in, findings out.
 *
 * One rule: what cannot be read to its end is a failure, never "whole".
 */
#include "master/command/verify.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/config.h"
#include "master/command/command.h"

enum {
	PROGRESS_LINES = 100000, /* a word on the terminal each so many */
	TEXT_MAX = 512,
};

struct verification {
	const struct arguments *arguments;
	struct audit_key key;
	struct ledger *ledger;
	struct line_reader reader;
	struct spot at;
	uint64_t lines; /* of all files */
	bool shows_progress;
	char line[VERIFY_LINE_MAX];
};

/* --- the key -------------------------------------------------------------- */

/* -k, or the settings'. NULL: there is none, said. */
static const char *
key_path(const struct arguments *a, struct arena *arena)
{
	struct settings settings;
	struct diagnostics *d = diagnostics_new(arena);

	if (a->key_file != NULL)
		return a->key_file;
	if (d == NULL ||
	    settings_load(a->config, arena, d, &settings) != ERR_NONE) {
		command_fail("%s cannot be read: give the key with -k",
		    a->config);
		return NULL;
	}
	if (settings.audit_key_file == NULL)
		command_fail("%s has no audit.key_file: give the key with -k",
		    a->config);
	return settings.audit_key_file;
}

static bool
key_read(struct verification *v)
{
	struct arena *arena = arena_new(0);
	const char *path =
	    arena == NULL ? NULL : key_path(v->arguments, arena);
	char reason[TEXT_MAX];
	bool is_read = path != NULL &&
	    audit_key_read(path, &v->key, reason, sizeof(reason)) == ERR_NONE;

	if (path != NULL && !is_read)
		command_fail("%s", reason);
	arena_free(arena);
	return is_read;
}

/* --- lines ---------------------------------------------------------------- */

static void
progress_show(struct verification *v)
{
	v->lines++;
	if (v->shows_progress && v->lines % PROGRESS_LINES == 0)
		fprintf(stderr, "\r%llu lines", (unsigned long long)v->lines);
}

static void
progress_clear(const struct verification *v)
{
	if (v->shows_progress && v->lines >= PROGRESS_LINES)
		fputs("\r\033[K", stderr);
}

static bool
line_take(struct verification *v, size_t len, bool is_whole)
{
	enum line_kind kind = LINE_DAMAGED;
	struct sealed record;

	v->at.line++;
	progress_show(v);
	if (len > 0 && v->line[len - 1] == '\r')
		len--;
	if (is_whole)
		kind = line_read(
		    &v->reader, (struct text){v->line, len}, &record);
	if (ledger_take(v->ledger, v->at, kind, &record))
		return true;
	command_fail("%s", err_text(ERR_MEMORY));
	return false;
}

/* Without its end; false: there is none. *is_whole_out false: it was longer
 * than any record is, and has been passed over. */
static bool
line_get(
    struct verification *v, FILE *file, size_t *len_out, bool *is_whole_out)
{
	size_t len = 0;
	int c = EOF;

	*is_whole_out = true;
	while ((c = getc_unlocked(file)) != EOF && c != '\n') {
		if (len < sizeof(v->line))
			v->line[len++] = (char)c;
		else
			*is_whole_out = false;
	}
	*len_out = len;
	return c != EOF || len > 0;
}

static bool
file_take(struct verification *v, const char *path)
{
	bool is_input = strcmp(path, "-") == 0, is_whole, is_fine = true;
	FILE *file = is_input ? stdin : fopen(path, "re");
	size_t len;

	if (file == NULL) {
		command_fail("%s: %s", path, strerror(errno));
		return false;
	}
	v->at.line = 0;
	while (is_fine && line_get(v, file, &len, &is_whole))
		is_fine = line_take(v, len, is_whole);
	if (is_fine && ferror(file)) {
		command_fail("%s: %s", path, strerror(errno));
		is_fine = false;
	}
	if (!is_input)
		fclose(file);
	return is_fine;
}

/* --- telling -------------------------------------------------------------- */

static void
finding_print(const struct verification *v, const struct finding *f)
{
	char text[TEXT_MAX];

	finding_describe(f, text, sizeof(text));
	if (f->at.line != 0) {
		printf("%s:%llu", v->arguments->words[f->at.file],
		    (unsigned long long)f->at.line);
		if (f->until > f->at.line)
			printf(" to %llu", (unsigned long long)f->until);
		fputs(": ", stdout);
	} else if (f->node[0] != '\0') {
		text_print(stdout, f->node, 0);
		fputs(": ", stdout);
	}
	text_print(stdout, text, 0);
	fputc('\n', stdout);
}

/* Would it be in order as a part of a longer log? */
static bool
is_cut_off(const struct finding *f, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		if (f[i].kind == FINDING_NO_START ||
		    f[i].kind == FINDING_NO_END)
			return true;
	}
	return false;
}

static void
result_print(const struct verification *v)
{
	struct tally t = ledger_tally(v->ledger);
	size_t i, count;
	const struct finding *f = ledger_findings(v->ledger, &count);

	for (i = 0; i < count; i++)
		finding_print(v, &f[i]);
	printf("%llu records in %llu chains, of which %llu are whole: %s\n",
	    (unsigned long long)t.records, (unsigned long long)t.chains,
	    (unsigned long long)t.whole,
	    count > 0		 ? "NOT AS WRITTEN"
		: t.records == 0 ? "nothing to verify"
				 : "as written");
	if (t.records == 0 && count > 0)
		puts("No record is genuine: is it another key's file?");
	else if (!v->arguments->is_part && is_cut_off(f, count))
		puts("Is the daemon running, or has this log other files? "
		     "Then --part leaves beginnings and ends open.");
}

static json_t *
finding_json(const struct verification *v, const struct finding *f)
{
	char text[TEXT_MAX];
	json_t *o;

	finding_describe(f, text, sizeof(text));
	o = json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:I}", "kind",
	    finding_name(f->kind), "text", text, "node", f->node, "chain",
	    f->chain, "session", f->session, "first", (json_int_t)f->first,
	    "last", (json_int_t)f->last);
	if (o == NULL || f->at.line == 0)
		return o;
	json_object_set_new(
	    o, "file", json_string(v->arguments->words[f->at.file]));
	json_object_set_new(
	    o, "line", json_integer((json_int_t)f->at.line));
	json_object_set_new(
	    o, "last_line", json_integer((json_int_t)f->until));
	return o;
}

static void
result_json(const struct verification *v)
{
	struct tally t = ledger_tally(v->ledger);
	json_t *findings = json_array();
	size_t i, count;
	const struct finding *f = ledger_findings(v->ledger, &count);
	json_t *o;

	for (i = 0; i < count; i++)
		json_array_append_new(findings, finding_json(v, &f[i]));
	o = json_pack("{s:b, s:I, s:I, s:I, s:I, s:o}", "as_written",
	    count == 0 && t.records > 0, "records", (json_int_t)t.records,
	    "chains", (json_int_t)t.chains, "whole", (json_int_t)t.whole,
	    "other_lines", (json_int_t)t.others, "findings", findings);
	json_print(o);
	json_decref(o);
}

/* --- the subcommand ------------------------------------------------------- */

static int
files_verify(struct verification *v)
{
	const struct arguments *a = v->arguments;
	size_t count;
	int i;

	for (i = 0; i < a->word_count; i++) {
		v->at.file = (uint32_t)i;
		if (!file_take(v, a->words[i]))
			return EXIT_USAGE;
	}
	progress_clear(v);
	if (!ledger_close(v->ledger, a->is_part))
		return command_fail("%s", err_text(ERR_MEMORY));
	if (a->is_json)
		result_json(v);
	else
		result_print(v);
	ledger_findings(v->ledger, &count);
	return count == 0 && ledger_tally(v->ledger).records > 0 ? EXIT_DONE
								 : EXIT_NO;
}

int
run_verify(const struct arguments *a)
{
	struct verification *v = calloc(1, sizeof(*v));
	int status = EXIT_USAGE;

	if (v == NULL)
		return command_fail("%s", err_text(ERR_MEMORY));
	v->arguments = a;
	v->shows_progress = !a->is_json && isatty(STDERR_FILENO);
	if (key_read(v)) {
		v->ledger = ledger_new(&v->key);
		status = v->ledger == NULL
		    ? command_fail("%s", err_text(ERR_MEMORY))
		    : files_verify(v);
		ledger_free(v->ledger);
	}
	line_reader_free(&v->reader);
	explicit_bzero(&v->key, sizeof(v->key));
	free(v);
	return status;
}
