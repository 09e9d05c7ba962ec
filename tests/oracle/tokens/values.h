/*
 * values.h - what a string or a name says, as PostgreSQL's own parser has it.
 */
#ifndef SALLYPORT_ORACLE_VALUES_H
#define SALLYPORT_ORACLE_VALUES_H

#include "common/lexer.h"

enum value_answer { VALUE_SAME, VALUE_OTHER, VALUE_UNASKED };

/* Is the token's name what the parser (of the linked version) makes of its
 * text?  Unasked: no string or name, or one that is plainly itself. */
enum value_answer value_compare(const struct token *t);

#endif
