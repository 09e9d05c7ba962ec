/*
 * diagnostics.h - complaints about configuration, all of them.
 *
 * Each is one line "file:line:column: what is wrong (did you mean `x`?)".
 * A load goes on after a complaint as far as it can, so that one look shows
 * everything there is to mend; it fails if there was any.
 */
#ifndef SALLYPORT_DIAGNOSTICS_H
#define SALLYPORT_DIAGNOSTICS_H

#include <stddef.h>

#include "common/arena.h"

enum { CONFIG_ERRORS_MAX = 100 }; /* further ones become one "and more" */

struct diagnostics;

/* NULL when out of memory. It and its lines live in the arena. */
struct diagnostics *diagnostics_new(struct arena *a);

/* line 0: about the file as a whole. Counts even when memory is out. */
void diagnostics_add(struct diagnostics *d, const char *file, size_t line,
    size_t column, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* A line that has its place in it already. Copied. */
void diagnostics_add_line(struct diagnostics *d, const char *line);

/* Lines there are; 0: nothing to complain about. */
size_t diagnostics_count(const struct diagnostics *d);

/* Line i < count, without a newline; never NULL. */
const char *diagnostics_line(const struct diagnostics *d, size_t i);

#endif
