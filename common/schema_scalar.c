/*
 * schema_scalar.c - words, numbers, sizes, times and paths.
 *
 * The rule: a number is digits and perhaps one unit from a table, and it is
 * compared with its range before it is stored.
 */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/schema_scalar.h"

struct unit {
	const char *name;
	uint64_t factor;
};

static const struct unit size_units[] = {{"", 1}, {"B", 1}, {"KiB", 1024},
    {"MiB", 1024 * 1024}, {"GiB", 1024 * 1024 * 1024}, {NULL, 0}};

static const struct unit time_units[] = {{"", 1}, {"s", 1}, {"m", 60},
    {"h", 3600}, {"d", 86400}, {NULL, 0}};

static const struct unit no_units[] = {{"", 1}, {NULL, 0}};

static void *
field_of(const struct row *row, void *out)
{
	return (char *)out + row->offset;
}

bool
reading_text(struct reading *r, const struct node *n, struct text *out)
{
	if (n->kind != NODE_SCALAR || n->text.len == 0 || yaml_is_null(n)) {
		reading_complain(r, n, "expected a word");
		return false;
	}
	if (n->text.len > SCHEMA_TEXT_MAX) {
		reading_complain(
		    r, n, "longer than %d bytes", SCHEMA_TEXT_MAX);
		return false;
	}
	*out = n->text;
	return true;
}

SCALAR_READER(scalar_read_text)
{
	(void)reading_text(r, n, field_of(row, out));
}

SCALAR_READER(scalar_read_string)
{
	struct text text;

	/* A node's text is NUL-terminated and has no other NUL. */
	if (reading_text(r, n, &text))
		*(const char **)field_of(row, out) = text.at;
}

/* The length of the folder part of a path, with its slash. */
static size_t
folder_length(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL ? 0 : (size_t)(slash - path) + 1;
}

const char *
reading_path(struct reading *r, const char *file, const char *path)
{
	char here[4096];
	const char *made;
	bool is_here;

	if (path[0] == '/')
		return path;
	is_here = file[0] != '/' && getcwd(here, sizeof(here)) != NULL;
	made = arena_printf(r->arena, "%s%s%.*s%s", is_here ? here : "",
	    is_here ? "/" : "", (int)folder_length(file), file, path);
	if (made == NULL)
		r->err = ERR_MEMORY;
	return made;
}

SCALAR_READER(scalar_read_path)
{
	struct text text;

	if (reading_text(r, n, &text))
		*(const char **)field_of(row, out) =
		    reading_path(r, n->file, text.at);
}

SCALAR_READER(scalar_read_bool)
{
	bool is_true = text_is(n->text, TEXT("true"));

	if (n->kind != NODE_SCALAR || n->is_quoted ||
	    (!is_true && !text_is(n->text, TEXT("false"))))
		reading_complain(r, n, "expected true or false");
	else
		*(bool *)field_of(row, out) = is_true;
}

/* Digits at the start of `t`: how many, and their value. 0 when there are
 * none or the value does not fit. */
static size_t
parse_digits(struct text t, uint64_t *out)
{
	uint64_t value = 0;
	size_t i;

	for (i = 0; i < t.len && t.at[i] >= '0' && t.at[i] <= '9'; i++) {
		uint64_t digit = (uint64_t)(t.at[i] - '0');

		if (value > (UINT64_MAX - digit) / 10)
			return 0;
		value = value * 10 + digit;
	}
	*out = value;
	return i;
}

static bool
parse_with_unit(struct text t, const struct unit *units, uint64_t *out)
{
	uint64_t value = 0;
	size_t digits = parse_digits(t, &value);
	struct text rest = {t.at + digits, t.len - digits};

	for (; digits > 0 && units->name != NULL; units++) {
		if (!text_is(rest, text_of(units->name)))
			continue;
		if (value > UINT64_MAX / units->factor)
			return false;
		*out = value * units->factor;
		return true;
	}
	return false;
}

/* A bound as a person would write it: 1024 bytes as 1KiB. */
static void
format_bound(char *buffer, size_t size, uint64_t value,
    const struct unit *units)
{
	const struct unit *best = units, *u;

	for (u = units; u->name != NULL; u++) {
		if (value >= u->factor && value % u->factor == 0)
			best = u;
	}
	snprintf(buffer, size, "%llu%s",
	    (unsigned long long)(value / best->factor), best->name);
}

static bool
check_range(struct reading *r, const struct node *n, uint64_t value,
    uint64_t min, uint64_t max, const struct unit *units)
{
	char low[40], high[40];

	if (value >= min && (max == 0 || value <= max))
		return true;
	format_bound(low, sizeof(low), min, units);
	format_bound(high, sizeof(high), max, units);
	if (max == 0)
		reading_complain(r, n, "%.80s is less than %s", n->text.at, low);
	else
		reading_complain(r, n, "%.80s is not between %s and %s",
		    n->text.at, low, high);
	return false;
}

static bool
read_measure(struct reading *r, const struct row *row, const struct node *n,
    const struct unit *units, const char *expected, uint64_t *out)
{
	if (n->kind != NODE_SCALAR || n->is_quoted ||
	    !parse_with_unit(n->text, units, out)) {
		reading_complain(r, n, "expected %s", expected);
		return false;
	}
	return check_range(r, n, *out, row->min, row->max, units);
}

bool
reading_number(struct reading *r, const struct node *n, uint64_t min,
    uint64_t max, uint64_t *out)
{
	struct row row = {.min = min, .max = max};

	return read_measure(r, &row, n, no_units, "a number", out);
}

SCALAR_READER(scalar_read_number)
{
	uint64_t value;

	if (read_measure(r, row, n, no_units, "a number", &value))
		*(uint64_t *)field_of(row, out) = value;
}

SCALAR_READER(scalar_read_unsigned)
{
	uint64_t value;

	if (!read_measure(r, row, n, no_units, "a number", &value))
		return;
	if (value > UINT_MAX)
		reading_complain(r, n, "too large");
	else
		*(unsigned *)field_of(row, out) = (unsigned)value;
}

SCALAR_READER(scalar_read_size)
{
	uint64_t value;

	if (read_measure(r, row, n, size_units,
		"a size in bytes, such as 4096, 64KiB or 16MiB", &value))
		*(size_t *)field_of(row, out) = (size_t)value;
}

SCALAR_READER(scalar_read_seconds)
{
	uint64_t value;

	if (read_measure(r, row, n, time_units,
		"a length of time, such as 30s, 10m or 1h", &value) &&
	    check_range(r, n, value, 0, UINT_MAX, time_units))
		*(unsigned *)field_of(row, out) = (unsigned)value;
}

static void
complain_of_choice(
    struct reading *r, const struct row *row, const struct node *n)
{
	const char *words[64];
	char what[80];
	size_t count = 0;
	const struct choice *c;

	for (c = row->choices; c->word != NULL && count < 64; c++) {
		if (!c->not_yet)
			words[count++] = c->word;
	}
	snprintf(what, sizeof(what), "value of `%s`:", row->key);
	reading_unknown_word(r, n, what, words, count);
}

SCALAR_READER(scalar_read_choice)
{
	const struct choice *c;
	struct text word;

	if (!reading_text(r, n, &word))
		return;
	for (c = row->choices; c->word != NULL; c++) {
		if (text_is(word, text_of(c->word)))
			break;
	}
	if (c->word == NULL)
		complain_of_choice(r, row, n);
	else if (c->not_yet)
		reading_complain(
		    r, n, "`%s: %s` is not supported yet", row->key, c->word);
	else
		memcpy(field_of(row, out), &c->value, sizeof(c->value));
}
