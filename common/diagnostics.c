/*
 * diagnostics.c - collecting complaints.
 *
 * The rule: a complaint is never lost silently; when there is no memory for
 * its words it still counts.
 */
#include <stdarg.h>
#include <stdio.h>

#include "common/diagnostics.h"

enum { LINE_MAX_BYTES = 600 };

static const char no_memory[] = "out of memory for an error message";

struct diagnostics {
	struct arena *arena;
	size_t count;
	const char *lines[CONFIG_ERRORS_MAX + 1];
};

struct diagnostics *
diagnostics_new(struct arena *a)
{
	struct diagnostics *d = arena_alloc(a, sizeof(*d));

	if (d != NULL)
		d->arena = a;
	return d;
}

/* Where the next line goes; NULL when there were enough. */
static const char **
next_line(struct diagnostics *d)
{
	if (d->count > CONFIG_ERRORS_MAX)
		return NULL;
	if (d->count < CONFIG_ERRORS_MAX)
		return &d->lines[d->count++];
	d->lines[d->count++] = "and more errors, not shown";
	return NULL;
}

static const char *
place_and_text(struct diagnostics *d, const char *file, size_t line,
    size_t column, const char *text)
{
	const char *made;

	if (line == 0)
		made = arena_printf(d->arena, "%s: %s", file, text);
	else
		made = arena_printf(d->arena, "%s:%zu:%zu: %s", file, line,
		    column, text);
	return made != NULL ? made : no_memory;
}

void
diagnostics_add(struct diagnostics *d, const char *file, size_t line,
    size_t column, const char *format, ...)
{
	char text[LINE_MAX_BYTES];
	const char **place = next_line(d);
	va_list list;

	if (place == NULL)
		return;
	va_start(list, format);
	vsnprintf(text, sizeof(text), format, list);
	va_end(list);
	*place = place_and_text(d, file, line, column, text);
}

void
diagnostics_add_line(struct diagnostics *d, const char *line)
{
	const char **place = next_line(d);
	const char *copy;

	if (place == NULL)
		return;
	copy = arena_printf(d->arena, "%s", line);
	*place = copy != NULL ? copy : no_memory;
}

size_t
diagnostics_count(const struct diagnostics *d)
{
	return d->count;
}

const char *
diagnostics_line(const struct diagnostics *d, size_t i)
{
	return i < d->count ? d->lines[i] : "";
}
