/*
 * reading.h - a client's text as the server will read it.
 *
 * A text comes in the client's encoding; it is judged in UTF-8.  Where it
 * cannot be told how the server will read it, it is refused.
 */
#ifndef SALLYPORT_READING_H
#define SALLYPORT_READING_H

#include "worker/gate.h"

/* The server said what one of the two encodings is now. False: nobody knows
 * it, and nothing may be judged any more. */
bool reading_set_client(struct gate *g, struct text encoding) MUST_CHECK;
bool reading_set_server(struct gate *g, struct text encoding) MUST_CHECK;

/* Does the text mean the same whatever the encoding? */
bool reading_is_plain(const struct gate *g, struct text sql);

/* The text in UTF-8 (borrowed, or in the arena) and how it is to be lexed.
 * ERR_UNSUPPORTED: it must be refused, for the reason in `why_out`. */
enum err reading_of(struct gate *g, struct text sql, struct arena *a,
    struct text *out, struct lex_state *lex_out,
    const char **why_out) MUST_CHECK;

#endif
