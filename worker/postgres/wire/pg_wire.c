/*
 * pg_wire.c - PostgreSQL's messages as bytes: parsing.
 *
 * The rule: a message is eaten whole or it is malformed; counts are compared
 * with what is there by reading it, never believed.
 */
#include "worker/postgres/wire/pg_wire.h"

static enum err
startup_keep(struct pg_startup *out, struct text name, struct text value)
{
	static const struct {
		struct text name;
		size_t offset;
	} own[] = {
	    {{"user", 4}, offsetof(struct pg_startup, user)},
	    {{"database", 8}, offsetof(struct pg_startup, database)},
	    {{"options", 7}, offsetof(struct pg_startup, options)},
	    {{"replication", 11}, offsetof(struct pg_startup, replication)},
	};
	size_t i;

	for (i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
		if (!text_is(name, own[i].name))
			continue;
		memcpy((char *)out + own[i].offset, &value, sizeof(value));
		return ERR_NONE;
	}
	if (text_starts(name, TEXT("_pq_."))) {
		if (out->unknown_option_count == PG_STARTUP_SETTINGS_MAX)
			return ERR_TOO_LONG;
		out->unknown_options[out->unknown_option_count++] = name;
		return ERR_NONE;
	}
	if (out->setting_count == PG_STARTUP_SETTINGS_MAX)
		return ERR_TOO_LONG;
	out->settings[out->setting_count++] = (struct pg_setting){name, value};
	return ERR_NONE;
}

enum err
pg_parse_startup(struct wire w, struct pg_startup *out)
{
	struct text name, value;
	enum err e;

	memset(out, 0, sizeof(*out));
	out->code = wire_u32(&w);
	if (out->code == PG_CODE_CANCEL) {
		out->cancel_pid = wire_i32(&w);
		out->cancel_key = wire_rest(&w);
		return w.bad || out->cancel_key.len < PG_CANCEL_KEY_MIN ||
			       out->cancel_key.len > PG_CANCEL_KEY_MAX
			   ? ERR_MALFORMED
			   : ERR_NONE;
	}
	if (out->code == PG_CODE_SSL || out->code == PG_CODE_GSSENC)
		return wire_end(&w);
	if (out->code >> 16 != 3)
		return w.bad ? ERR_MALFORMED : ERR_UNSUPPORTED;
	for (name = wire_cstring(&w); name.len > 0; name = wire_cstring(&w)) {
		value = wire_cstring(&w);
		e = w.bad ? ERR_MALFORMED : startup_keep(out, name, value);
		if (e != ERR_NONE)
			return e;
	}
	return wire_end(&w);
}

static bool
is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* The next blank-separated word, backslashes resolved as the server's
 * pg_split_opts() does. len 0: none left. */
static enum err
option_word(struct text *rest, struct arena *a, struct text *out)
{
	char *word;
	size_t len = 0;

	while (rest->len > 0 && is_blank(*rest->at))
		rest->at++, rest->len--;
	word = arena_alloc(a, rest->len + 1);
	if (word == NULL)
		return ERR_MEMORY;
	while (rest->len > 0 && !is_blank(*rest->at)) {
		if (*rest->at == '\\' && rest->len > 1)
			rest->at++, rest->len--;
		word[len++] = *rest->at;
		rest->at++, rest->len--;
	}
	*out = (struct text){word, len};
	return ERR_NONE;
}

/* "name=value"; the server reads `-` in a name as `_`. */
static enum err
option_split(struct text word, struct arena *a, struct pg_setting *out)
{
	const char *equals = memchr(word.at, '=', word.len);
	char *name;
	size_t i, len;

	if (equals == NULL || equals == word.at)
		return ERR_UNSUPPORTED;
	len = (size_t)(equals - word.at);
	name = arena_copy(a, word.at, len);
	if (name == NULL)
		return ERR_MEMORY;
	for (i = 0; i < len; i++) {
		if (name[i] == '-')
			name[i] = '_';
	}
	out->name = (struct text){name, len};
	out->value = (struct text){equals + 1, word.len - len - 1};
	return ERR_NONE;
}

enum err
pg_next_option(struct text *rest, struct arena *a, struct pg_setting *out)
{
	struct text word;
	enum err e = option_word(rest, a, &word);

	if (e != ERR_NONE)
		return e;
	if (word.len == 0)
		return ERR_NOT_FOUND;
	if (text_is(word, TEXT("-c")))
		e = option_word(rest, a, &word);
	else if (text_starts(word, TEXT("-c")) ||
		 (text_starts(word, TEXT("--")) && word.len > 2))
		word.at += 2, word.len -= 2;
	else
		return ERR_UNSUPPORTED;
	return e != ERR_NONE ? e : option_split(word, a, out);
}

enum err
pg_parse_parse(struct wire w, struct pg_parse *out)
{
	out->name = wire_cstring(&w);
	out->sql = wire_cstring(&w);
	out->type_count = wire_u16(&w);
	wire_bytes(&w, (size_t)out->type_count * 4);
	return wire_end(&w);
}

enum err
pg_parse_bind(struct wire w, struct pg_bind *out)
{
	const uint8_t *values;
	uint16_t count, i;
	int32_t len;

	out->portal = wire_cstring(&w);
	out->statement = wire_cstring(&w);
	values = w.at;
	count = wire_u16(&w);
	wire_bytes(&w, (size_t)count * 2);
	count = wire_u16(&w);
	for (i = 0; i < count && !w.bad; i++) {
		len = wire_i32(&w);
		if (len < -1)
			return ERR_MALFORMED;
		if (len > 0)
			wire_bytes(&w, (size_t)len);
	}
	out->values = (struct text){
	    (const char *)values, w.bad ? 0 : (size_t)(w.at - values)};
	out->format_count = wire_u16(&w);
	out->formats =
	    (const uint8_t *)wire_bytes(&w, (size_t)out->format_count * 2).at;
	return wire_end(&w);
}

bool
pg_bind_is_binary(const uint8_t *formats, uint16_t format_count, size_t i)
{
	if (format_count == 0)
		return false;
	if (format_count == 1)
		i = 0;
	if (i >= format_count)
		return false;
	return formats[i * 2] != 0 || formats[i * 2 + 1] != 0;
}

enum err
pg_parse_execute(struct wire w, struct pg_execute *out)
{
	out->portal = wire_cstring(&w);
	out->row_limit = wire_i32(&w);
	return wire_end(&w);
}

enum err
pg_parse_target(struct wire w, struct pg_target *out)
{
	out->kind = (char)wire_u8(&w);
	out->name = wire_cstring(&w);
	if (out->kind != 'S' && out->kind != 'P')
		return ERR_MALFORMED;
	return wire_end(&w);
}

enum err
pg_parse_sasl_initial(struct wire w, struct pg_sasl_initial *out)
{
	int32_t len;

	out->mechanism = wire_cstring(&w);
	len = wire_i32(&w);
	out->has_response = len >= 0;
	out->response = len > 0 ? wire_bytes(&w, (size_t)len) : TEXT("");
	return len < -1 ? ERR_MALFORMED : wire_end(&w);
}

enum err
pg_parse_row_description(struct wire w,
    enum err (*each)(void *context, size_t i, const struct pg_field *field),
    void *context, size_t *count_out)
{
	struct pg_field field;
	uint16_t count = wire_u16(&w), i, format;
	enum err e;

	if (count > PG_FIELDS_MAX)
		return ERR_MALFORMED;
	*count_out = count;
	for (i = 0; i < count; i++) {
		field.name = wire_cstring(&w);
		field.table = wire_u32(&w);
		field.column = wire_u16(&w);
		field.type = wire_u32(&w);
		wire_u16(&w); /* type length */
		wire_u32(&w); /* type modifier */
		format = wire_u16(&w);
		field.is_binary = format == 1;
		if (w.bad || format > 1)
			return ERR_MALFORMED;
		e = each(context, i, &field);
		if (e != ERR_NONE)
			return e;
	}
	return wire_end(&w);
}

enum err
pg_parse_error(struct wire w, struct pg_error *out)
{
	struct text value;
	uint8_t letter;

	memset(out, 0, sizeof(*out));
	for (letter = wire_u8(&w); letter != 0; letter = wire_u8(&w)) {
		value = wire_cstring(&w);
		if (letter == 'S')
			out->severity = value;
		else if (letter == 'C')
			out->sqlstate = value;
		else if (letter == 'M')
			out->message = value;
		else if (letter == 'D')
			out->detail = value;
		else if (letter == 'H')
			out->hint = value;
		else if (letter == 'W')
			out->context = value;
		else if (letter == 's')
			out->schema = value;
		else if (letter == 't')
			out->table = value;
		else if (letter == 'F')
			out->file = value;
		else if (letter == 'P')
			out->has_position = true;
		else if (letter == 'p' || letter == 'q')
			out->is_inner = true;
	}
	return wire_end(&w);
}

enum err
pg_parse_call(struct wire w, struct pg_call *out)
{
	uint16_t i;
	int32_t len;

	out->function = wire_u32(&w);
	out->values = (struct text){(const char *)w.at, w.left};
	out->format_count = wire_u16(&w);
	out->has_odd_formats = false;
	for (i = 0; i < out->format_count && !w.bad; i++)
		out->has_odd_formats |= wire_u16(&w) > 1;
	out->argument_count = wire_u16(&w);
	for (i = 0; i < out->argument_count && !w.bad; i++) {
		len = wire_i32(&w);
		if (len < -1)
			return ERR_MALFORMED;
		if (len > 0)
			wire_bytes(&w, (size_t)len);
	}
	out->values.len -= w.left;
	i = wire_u16(&w);
	out->is_binary = i == 1;
	out->has_odd_formats |= i > 1;
	return wire_end(&w);
}

enum err
pg_parse_parameter(struct wire w, struct pg_parameter *out)
{
	out->name = wire_cstring(&w);
	out->value = wire_cstring(&w);
	return wire_end(&w);
}

uint64_t
pg_tag_count(struct text tag)
{
	uint64_t n = 0, unit = 1;
	size_t i = tag.len;

	while (i > 0 && tag.at[i - 1] >= '0' && tag.at[i - 1] <= '9') {
		n += (uint64_t)(tag.at[--i] - '0') * unit;
		unit *= 10;
	}
	return i > 0 && tag.at[i - 1] == ' ' ? n : 0;
}
