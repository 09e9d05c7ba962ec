/*
 * copy_format.c - how COPY TO STDOUT writes its rows.
 *
 * The rule: byte for byte what the server would have written for the same
 * value, so that what it can read back of its own it can read of ours.
 */
#include "worker/postgres/copy/copy_format.h"

/* "PGCOPY\n\377\r\n\0", no flags, no extension */
static const char signature[19] = "PGCOPY\n\377\r\n";

struct copy_format
copy_format_default(enum copy_kind kind)
{
	if (kind == COPY_CSV)
		return (struct copy_format){.kind = kind,
		    .delimiter = ',',
		    .quote = '"',
		    .escape = '"',
		    .null = TEXT("")};
	return (struct copy_format){
	    .kind = kind, .delimiter = '\t', .null = TEXT("\\N")};
}

static bool
holds(struct text t, char c)
{
	return t.len > 0 && memchr(t.at, c, t.len) != NULL;
}

const char *
copy_format_check(const struct copy_format *f)
{
	static const struct text taken =
	    TEXT("\\.abcdefghijklmnopqrstuvwxyz0123456789");

	if (f->kind == COPY_BINARY)
		return f->has_header ? "a binary COPY has no header" : NULL;
	if (f->delimiter == '\r' || f->delimiter == '\n')
		return "COPY delimiter cannot be newline or carriage return";
	if (holds(f->null, '\r') || holds(f->null, '\n'))
		return "COPY null representation cannot use newline or "
		       "carriage return";
	if (holds(f->null, f->delimiter))
		return "COPY delimiter must not appear in the NULL "
		       "specification";
	if (f->kind == COPY_TEXT && holds(taken, f->delimiter))
		return "COPY delimiter cannot be a letter, a digit, a dot or "
		       "a backslash";
	if (f->kind == COPY_CSV && f->delimiter == f->quote)
		return "COPY delimiter and quote must be different";
	if (f->kind == COPY_CSV && holds(f->null, f->quote))
		return "CSV quote character must not appear in the NULL "
		       "specification";
	return NULL;
}

void
copy_put_signature(struct buffer *b)
{
	buffer_put(b, signature, sizeof(signature));
}

void
copy_put_trailer(struct buffer *b)
{
	buffer_put_u16(b, UINT16_MAX);
}

void
copy_row_begin(struct copy_row *r)
{
	r->has_begun = false;
	if (r->format->kind == COPY_BINARY)
		buffer_put_u16(r->out, (uint16_t)r->columns);
}

static void
put_delimiter(struct copy_row *r)
{
	if (r->has_begun && r->format->kind != COPY_BINARY)
		buffer_put_u8(r->out, (uint8_t)r->format->delimiter);
	r->has_begun = true;
}

void
copy_row_null(struct copy_row *r)
{
	put_delimiter(r);
	if (r->format->kind == COPY_BINARY)
		buffer_put_u32(r->out, UINT32_MAX);
	else
		buffer_put_text(r->out, r->format->null);
}

/* Has one of eight bytes this value? */
static inline bool
has_byte(uint64_t eight, char c)
{
	const uint64_t ones = UINT64_C(0x0101010101010101);
	uint64_t zero = eight ^ ones * (unsigned char)c;

	return ((zero - ones) & ~zero & (ones << 7)) != 0;
}

/* How many bytes from `i` on surely need no care, in steps of eight: neither
 * control characters nor one of the two. */
static inline size_t
careless_run(struct text value, size_t i, char one, char other)
{
	const uint64_t ones = UINT64_C(0x0101010101010101);
	const size_t start = i;
	uint64_t eight;

	for (; value.len - i >= sizeof(eight); i += sizeof(eight)) {
		memcpy(&eight, value.at + i, sizeof(eight));
		if (((eight - ones * 0x20) & ~eight & (ones << 7)) != 0 ||
		    has_byte(eight, one) || has_byte(eight, other))
			break;
	}
	return i - start;
}

/* The letter after the backslash that stands for this byte; 0: the byte needs
 * none. A letter wins over a delimiter of the same byte. */
static char
text_escape(char c, char delimiter)
{
	static const char letters[] = {['\b'] = 'b',
	    ['\f'] = 'f',
	    ['\n'] = 'n',
	    ['\r'] = 'r',
	    ['\t'] = 't',
	    ['\v'] = 'v'};
	unsigned char u = (unsigned char)c;

	if (u < sizeof(letters) && letters[u] != 0)
		return letters[u];
	return c == '\\' || c == delimiter ? c : 0;
}

static void
put_text(struct buffer *b, const struct copy_format *f, struct text value)
{
	size_t i, start = 0;

	for (i = careless_run(value, 0, '\\', f->delimiter); i < value.len;
	     i++) {
		char escape = text_escape(value.at[i], f->delimiter);

		if (escape == 0)
			continue;
		buffer_put(b, value.at + start, i - start);
		buffer_put_u8(b, '\\');
		buffer_put_u8(b, (uint8_t)escape);
		start = i + 1;
	}
	if (value.len > start)
		buffer_put(b, value.at + start, value.len - start);
}

/* Would it read as something else without quotes? */
static bool
needs_quotes(const struct copy_row *r, struct text value)
{
	const struct copy_format *f = r->format;
	size_t i;

	if (text_is(value, f->null))
		return true;
	if (r->columns == 1 && text_is(value, TEXT("\\.")))
		return true;
	i = careless_run(value, 0, f->delimiter, f->quote);
	for (; i < value.len; i++) {
		char c = value.at[i];

		if (c == f->delimiter || c == f->quote || c == '\n' ||
		    c == '\r')
			return true;
	}
	return false;
}

static void
put_csv(const struct copy_row *r, struct text value, bool is_quoted)
{
	const struct copy_format *f = r->format;
	size_t i, start = 0;

	if (!is_quoted && !needs_quotes(r, value)) {
		buffer_put_text(r->out, value);
		return;
	}
	buffer_put_u8(r->out, (uint8_t)f->quote);
	for (i = 0; i < value.len; i++) {
		if (value.at[i] != f->quote && value.at[i] != f->escape)
			continue;
		buffer_put(r->out, value.at + start, i - start);
		buffer_put_u8(r->out, (uint8_t)f->escape);
		start = i;
	}
	if (value.len > start)
		buffer_put(r->out, value.at + start, value.len - start);
	buffer_put_u8(r->out, (uint8_t)f->quote);
}

void
copy_row_value(struct copy_row *r, struct text value, bool is_quoted)
{
	put_delimiter(r);
	switch (r->format->kind) {
	case COPY_TEXT:
		put_text(r->out, r->format, value);
		break;
	case COPY_CSV:
		put_csv(r, value, is_quoted);
		break;
	case COPY_BINARY:
		buffer_put_u32(r->out, (uint32_t)value.len);
		buffer_put_text(r->out, value);
		break;
	}
}

void
copy_row_end(struct copy_row *r)
{
	if (r->format->kind != COPY_BINARY)
		buffer_put_u8(r->out, '\n');
}
