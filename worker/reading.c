/*
 * reading.c - a client's text as the server will read it.
 *
 * The rule: only what is surely converted as the server converts it is judged
 * by its names.
 */
#include "worker/reading.h"

static bool
has_foreign_server(const struct gate *g)
{
	return g->server_encoding != NULL &&
	       g->server_encoding->kind != ENCODING_UTF8;
}

/* From one encoding into another the server does not go through Unicode. */
static bool
is_converted_by_detours(const struct gate *g)
{
	return has_foreign_server(g) && g->coder.encoding != NULL &&
	       g->coder.encoding != g->server_encoding;
}

static bool
set(struct gate *g, const struct encoding **which, struct text name)
{
	*which = encoding_by_name(name);
	if (*which == NULL)
		return false;
	coder_set(&g->coder,
	    encoding_effective(g->client_encoding, g->server_encoding));
	/* it folds and cuts names in its own way */
	g->lex.is_foreign_server = has_foreign_server(g);
	g->lex.doubts_names =
	    (g->server_encoding != NULL && g->server_encoding->is_ambiguous) ||
	    is_converted_by_detours(g);
	return true;
}

bool
reading_set_client(struct gate *g, struct text encoding)
{
	return set(g, &g->client_encoding, encoding);
}

bool
reading_set_server(struct gate *g, struct text encoding)
{
	return set(g, &g->server_encoding, encoding);
}

bool
reading_is_plain(const struct gate *g, struct text sql)
{
	return g->coder.encoding == NULL || text_is_ascii(sql);
}

/* May a quote or a backslash of the server's be none of ours? */
static bool
is_unreadable(const struct gate *g)
{
	return g->coder.encoding->is_client_only &&
	       (g->coder.encoding->kind != ENCODING_EXACT ||
		   has_foreign_server(g));
}

enum err
reading_of(struct gate *g, struct text sql, struct arena *a, struct text *out,
    struct lex_state *lex_out, const char **why_out)
{
	enum err e;

	*out = sql;
	*lex_out = g->lex;
	if (reading_is_plain(g, sql))
		return ERR_NONE;
	if (is_unreadable(g)) {
		*why_out = "a text beyond ASCII cannot be read surely in this "
			   "client_encoding: use UTF8";
		return ERR_UNSUPPORTED;
	}
	if (g->coder.encoding->kind == ENCODING_RAW) {
		lex_out->is_utf8 = false;
		return ERR_NONE;
	}
	if (g->coder.encoding->kind == ENCODING_DOUBTFUL)
		lex_out->doubts_names = true;
	e = coder_to_utf8(&g->coder, sql, a, out);
	if (e != ERR_NONE && e != ERR_MEMORY) {
		*why_out = "the text is not valid in its client_encoding";
		e = ERR_UNSUPPORTED;
	}
	return e;
}
