/*
 * report.h - what was found, how often, and a few examples of each.
 */
#ifndef SALLYPORT_ORACLE_REPORT_H
#define SALLYPORT_ORACLE_REPORT_H

#include <stdbool.h>
#include <stddef.h>

/* Which statement is being looked at, for the examples. */
void report_statement(const char *sql);

/* How many examples are shown of what is wrong, and of needless strictness. */
void report_examples(size_t wrong, size_t needless);

/* Count a finding by its name, "what detail". */
void report_find(bool is_wrong, const char *what, const char *detail);

void report_print(void);

#endif
