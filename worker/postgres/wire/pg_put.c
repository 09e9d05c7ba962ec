/*
 * pg_put.c - PostgreSQL's messages as bytes: building.
 *
 * The rule: a message's length is what was put since it began; whoever cannot
 * finish one takes it back (buffer_cut()).
 */
#include "worker/postgres/wire/pg_wire.h"

size_t
pg_message_begin(struct buffer *b, char type)
{
	size_t at;

	buffer_put_u8(b, (uint8_t)type);
	at = b->len;
	buffer_put_u32(b, 0);
	return at;
}

void
pg_message_end(struct buffer *b, size_t at)
{
	buffer_set_u32(b, at, (uint32_t)(b->len - at));
}

static void
put_field(struct buffer *b, char letter, struct text value)
{
	const char *nul;

	if (value.len == 0)
		return;
	nul = memchr(value.at, 0, value.len);
	if (nul != NULL)
		value.len = (size_t)(nul - value.at);
	buffer_put_u8(b, (uint8_t)letter);
	buffer_put_cstring(b, value);
}

void
pg_put_complaint(struct buffer *b, char type, const struct pg_complaint *c)
{
	size_t at = pg_message_begin(b, type);

	put_field(b, 'S', text_of(c->severity));
	put_field(b, 'V', text_of(c->severity));
	put_field(b, 'C', text_of(c->sqlstate));
	put_field(b, 'M', c->message);
	put_field(b, 'D', c->detail);
	put_field(b, 'H', c->hint);
	buffer_put_u8(b, 0);
	pg_message_end(b, at);
}

void
pg_put_empty(struct buffer *b, char type)
{
	pg_message_end(b, pg_message_begin(b, type));
}

void
pg_put_query(struct buffer *b, struct text sql)
{
	size_t at = pg_message_begin(b, 'Q');

	buffer_put_cstring(b, sql);
	pg_message_end(b, at);
}

void
pg_put_parse(struct buffer *b, struct text name, struct text sql)
{
	size_t at = pg_message_begin(b, 'P');

	buffer_put_cstring(b, name);
	buffer_put_cstring(b, sql);
	buffer_put_u16(b, 0); /* types of parameters */
	pg_message_end(b, at);
}

void
pg_put_bind(struct buffer *b, struct text name, bool is_binary)
{
	size_t at = pg_message_begin(b, 'B');

	buffer_put_cstring(b, name);
	buffer_put_cstring(b, name);
	buffer_put_u16(b, 0); /* formats of parameters */
	buffer_put_u16(b, 0); /* parameters */
	buffer_put_u16(b, 1); /* one format, of all results */
	buffer_put_u16(b, is_binary);
	pg_message_end(b, at);
}

void
pg_put_close(struct buffer *b, char kind, struct text name)
{
	size_t at = pg_message_begin(b, 'C');

	buffer_put_u8(b, (uint8_t)kind);
	buffer_put_cstring(b, name);
	pg_message_end(b, at);
}

void
pg_put_describe_portal(struct buffer *b, struct text portal)
{
	size_t at = pg_message_begin(b, 'D');

	buffer_put_u8(b, 'P');
	buffer_put_cstring(b, portal);
	pg_message_end(b, at);
}

void
pg_put_execute_all(struct buffer *b, struct text portal)
{
	size_t at = pg_message_begin(b, 'E');

	buffer_put_cstring(b, portal);
	buffer_put_u32(b, 0); /* no limit of rows */
	pg_message_end(b, at);
}

void
pg_put_ready(struct buffer *b, char status)
{
	size_t at = pg_message_begin(b, 'Z');

	buffer_put_u8(b, (uint8_t)status);
	pg_message_end(b, at);
}

void
pg_put_name(struct buffer *b, struct text name)
{
	size_t i;

	buffer_put_u8(b, '"');
	for (i = 0; i < name.len; i++) {
		if (name.at[i] == '"')
			buffer_put_u8(b, '"');
		buffer_put_u8(b, (uint8_t)name.at[i]);
	}
	buffer_put_u8(b, '"');
}
