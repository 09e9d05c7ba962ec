/*
 * reading.c - a client's text as the server will read it.
 *
 * The rule: only what is surely converted as the server converts it is judged
 * by its names.
 */
#include "worker/reading.h"

static bool
set(struct gate *g, const struct encoding **which, struct text name)
{
	*which = encoding_by_name(name);
	if (*which == NULL)
		return false;
	coder_set(&g->coder,
	    encoding_effective(g->client_encoding, g->server_encoding));
	/* it folds and cuts names in its own way */
	g->lex.is_foreign_server = g->server_encoding != NULL &&
				   g->server_encoding->kind != ENCODING_UTF8;
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

enum err
reading_of(struct gate *g, struct text sql, struct arena *a, struct text *out,
    struct lex_state *lex_out, const char **why_out)
{
	enum err e;

	*out = sql;
	*lex_out = g->lex;
	if (reading_is_plain(g, sql))
		return ERR_NONE;
	switch (g->coder.encoding->kind) {
	case ENCODING_CLIENT_ONLY:
		*why_out = "a text beyond ASCII cannot be read surely in this "
			   "client_encoding: use UTF8";
		return ERR_UNSUPPORTED;
	case ENCODING_RAW:
		lex_out->is_utf8 = false;
		return ERR_NONE;
	case ENCODING_DOUBTFUL:
		lex_out->doubts_names = true;
		break;
	default:
		break;
	}
	e = coder_to_utf8(&g->coder, sql, a, out);
	if (e != ERR_NONE && e != ERR_MEMORY) {
		*why_out = "the text is not valid in its client_encoding";
		e = ERR_UNSUPPORTED;
	}
	return e;
}
