/*
 * pg_encoding.c - clients that speak another encoding than UTF-8.
 *
 * The rule: what cannot be converted surely is not compared, and a value that
 * cannot be converted there and back is NULL.
 */
#include "worker/postgres/pg.h"
#include "worker/reading.h"

bool
pg_reads_alike(struct text sql)
{
	return text_is_ascii(sql) &&
	       (sql.len == 0 || memchr(sql.at, '\\', sql.len) == NULL);
}

/* A name in a message is kept in the client's bytes, in SQL it is judged in
 * UTF-8: beyond ASCII they would be two names for one, or one for two. */
bool
pg_is_fit_name(const struct session *s, struct text name)
{
	return reading_is_plain(s->gate, name);
}

/* Types whose binary form is their text. */
static bool
is_spelled_out(uint32_t oid)
{
	static const uint32_t types[] = {
	    19, 25, 114, 142, 705, 1042, 1043, 2275, 3802};
	size_t i;

	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (types[i] == oid)
			return true;
	}
	return false;
}

/* Is there text in it, and where? */
enum content {
	CONTENT_TEXT,	/* all of it is text */
	CONTENT_NONE,	/* numbers, dates … in binary */
	CONTENT_MIXED,	/* text between lengths */
};

static enum content
content_of(struct mask_type type)
{
	uint32_t oid = type.shape != NULL && type.shape->form == FORM_SCALAR
			   ? type.shape->base
			   : type.oid;

	if (!type.is_binary || is_spelled_out(oid))
		return CONTENT_TEXT;
	return mask_type_is_textual(type.oid) ? CONTENT_MIXED : CONTENT_NONE;
}

bool
pg_mask_foreign(struct session *s, const struct column_plan *plan,
    struct text value, struct masked *out)
{
	struct coder *coder = &s->gate->coder;
	struct arena *a = pg_of(s)->row;
	struct text utf8;

	*out = (struct masked){.is_null = true};
	if (content_of(plan->type) == CONTENT_NONE)
		return column_mask_utf8(s, plan, value, out);
	if (content_of(plan->type) == CONTENT_MIXED ||
	    coder_to_utf8(coder, value, a, &utf8) != ERR_NONE)
		return true;
	if (!column_mask_utf8(s, plan, utf8, out))
		return false;
	if (!out->is_null && coder_from_utf8(coder, out->value, a,
				 &out->value) != ERR_NONE)
		out->is_null = true;
	return true;
}

/* --- what the server says of it ------------------------------------------- */

static enum err
encoding_lost(struct session *s)
{
	return pg_fatal(s, ENDING_PROTOCOL, "0A000",
	    "the encoding is now one that Sallyport cannot read");
}

static void
doubt_prepared(void *value)
{
	struct prepared *p = value;

	p->is_unreadable |= !pg_reads_alike(p->sql);
}

static void
doubt_portal(void *value)
{
	doubt_prepared(((struct portal *)value)->prepared);
}

/* The server reads texts otherwise from now on. */
static void
note_switch(struct session *s)
{
	struct pg *pg = pg_of(s);

	if (!s->has_begun) /* its first word on it */
		return;
	pg->has_switched = true;
	names_each(pg->statements, doubt_prepared);
	names_each(pg->portals, doubt_portal);
}

static enum err
note_client_encoding(struct session *s, struct text name)
{
	if (!reading_set_client(s->gate, name))
		return encoding_lost(s);
	note_switch(s);
	return ERR_NONE;
}

static void
note_strings(struct session *s, bool is_standard)
{
	s->gate->lex.standard_conforming_strings = is_standard;
	note_switch(s);
}

/* "15.20 (Debian …)" is 15; what says no number, 0. */
static unsigned
major_version(struct text value)
{
	unsigned major = 0;
	size_t i;

	for (i = 0; i < value.len && i < 4 && value.at[i] >= '0' &&
	     value.at[i] <= '9'; i++)
		major = major * 10 + (unsigned)(value.at[i] - '0');
	return major;
}

enum err
pg_note_parameter(struct session *s, const struct pg_parameter *p)
{
	enum err e = ERR_NONE;

	if (text_is(p->name, TEXT("standard_conforming_strings")))
		note_strings(s, text_is(p->value, TEXT("on")));
	if (text_is(p->name, TEXT("server_version")))
		s->gate->lex.version = major_version(p->value);
	if (text_is(p->name, TEXT("client_encoding")))
		e = note_client_encoding(s, p->value);
	if (text_is(p->name, TEXT("server_encoding")) &&
	    !reading_set_server(s->gate, p->value))
		e = encoding_lost(s);
	pg_reply_in_ascii(s->gate->coder.encoding != NULL);
	return e;
}
