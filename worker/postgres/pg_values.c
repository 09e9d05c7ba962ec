/*
 * pg_values.c - bound values for the eyes of whoever approves them.
 */
#include <stdio.h>

#include "worker/postgres/pg.h"

enum {
	VALUE_SHOWN = 120
}; /* bytes of one value */

static void
put_quoted(struct buffer *b, struct text value)
{
	size_t i;

	buffer_put_u8(b, '\'');
	for (i = 0; i < value.len; i++) {
		if (value.at[i] == '\'')
			buffer_put_u8(b, '\'');
		buffer_put_u8(b, (uint8_t)value.at[i]);
	}
	buffer_put_u8(b, '\'');
}

static void
put_hex(struct buffer *b, struct text value)
{
	char digits[3];
	size_t i;

	buffer_put_text(b, TEXT("binary "));
	for (i = 0; i < value.len; i++) {
		snprintf(
		    digits, sizeof(digits), "%02x", (unsigned char)value.at[i]);
		buffer_put_text(b, (struct text){digits, 2});
	}
}

static void
put_value(struct buffer *b, struct wire *w, bool is_binary)
{
	int32_t len = wire_i32(w);
	struct text value = len > 0 ? wire_bytes(w, (size_t)len) : TEXT("");
	bool is_long = value.len > VALUE_SHOWN;

	if (is_long)
		value.len = VALUE_SHOWN;
	if (len < 0)
		buffer_put_text(b, TEXT("NULL"));
	else if (is_binary)
		put_hex(b, value);
	else
		put_quoted(b, value);
	if (is_long)
		buffer_put_text(b, TEXT(" …"));
}

void
pg_put_values(struct buffer *b, struct text values)
{
	struct wire w = wire_of(values.at, values.len);
	uint16_t formats = wire_u16(&w), count, i;
	const uint8_t *codes =
	    (const uint8_t *)wire_bytes(&w, (size_t)formats * 2).at;
	char name[16];

	count = wire_u16(&w);
	for (i = 0; i < count && !w.bad; i++) {
		snprintf(name, sizeof(name), "\n-- $%u = ", i + 1u);
		buffer_put_text(b, text_of(name));
		put_value(b, &w, pg_bind_is_binary(codes, formats, i));
	}
}
