/*
 * class_catch.h - what class rules catch in a statement.
 *
 * Used by class_reader.c alone.
 */
#ifndef SALLYPORT_CLASS_CATCH_H
#define SALLYPORT_CLASS_CATCH_H

#include "common/class_reader.h"

/* Note what a group of this role has caught; `text` is of the flat text.
 * ERR_MEMORY. */
enum err catch_group(
    struct reader *r, enum role role, struct text text) MUST_CHECK;

static inline const struct token *
token_at(const struct reader *r, uint32_t i)
{
	return &r->canonical->tokens[i];
}

#endif
