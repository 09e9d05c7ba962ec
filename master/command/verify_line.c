/*
 * verify_line.c - a line of an audit log, understood as it was written.
 *
 * The rule: two lines that mean different things never have the same
 * canonical form.  So what json.c would not have written in its place is
 * refused: names that need quoting, numbers that are no integers, members that
 * are there twice.
 */
#include <string.h>

#include "common/json.h"
#include "master/command/verify.h"

enum { DEPTH_MAX = 8 };

/* --- the canonical form --------------------------------------------------- */

/* json.c writes names as they are: one with a quote in it could pass for
 * several members. */
static bool
name_is_plain(const char *name)
{
	const unsigned char *c = (const unsigned char *)name;

	for (; *c != '\0'; c++) {
		if (*c < 0x20 || *c >= 0x7f || *c == '"' || *c == '\\')
			return false;
	}
	return true;
}

static bool write_value(
    struct json *out, const char *key, json_t *value, int depth);

static bool
write_members(struct json *out, json_t *object, int depth)
{
	const char *key;
	json_t *value;

	json_object_foreach(object, key, value) {
		/* the mac is not of itself */
		if (depth == 0 && strcmp(key, "mac") == 0)
			continue;
		if (!name_is_plain(key) ||
		    !write_value(out, key, value, depth + 1))
			return false;
	}
	return true;
}

static bool
write_elements(struct json *out, json_t *array, int depth)
{
	size_t i;

	for (i = 0; i < json_array_size(array); i++) {
		if (!write_value(
			out, NULL, json_array_get(array, i), depth + 1))
			return false;
	}
	return true;
}

/* json.c has no word for it: a bare one after the name. */
static void
write_null(struct json *out, const char *key)
{
	json_open(out, key, 'n');
	json_raw(out, TEXT("ull"));
	out->comma = true;
}

static bool
write_value(struct json *out, const char *key, json_t *value, int depth)
{
	bool is_object = json_is_object(value), is_fine = true;

	if (depth > DEPTH_MAX || json_is_real(value))
		return false;
	if (json_is_string(value)) {
		json_text(out, key,
		    (struct text){json_string_value(value),
			json_string_length(value)});
	} else if (json_is_integer(value)) {
		json_number(out, key, json_integer_value(value));
	} else if (json_is_boolean(value)) {
		json_bool(out, key, json_is_true(value));
	} else if (json_is_null(value)) {
		write_null(out, key);
	} else {
		json_open(out, key, is_object ? '{' : '[');
		is_fine = is_object ? write_members(out, value, depth)
				    : write_elements(out, value, depth);
		json_close(out, is_object ? '}' : ']');
	}
	return is_fine && !out->overflowed;
}

/* --- members -------------------------------------------------------------- */

static bool
take_text(const json_t *object, const char *key, bool is_needed,
    const char **out)
{
	const json_t *member = json_object_get(object, key);

	*out = member == NULL ? "" : json_string_value(member);
	return *out != NULL && (!is_needed || (*out)[0] != '\0');
}

static bool
take_number(const json_t *object, const char *key, uint64_t *out)
{
	const json_t *member = json_object_get(object, key);

	*out = 0;
	if (member == NULL)
		return true;
	if (!json_is_integer(member) || json_integer_value(member) < 0)
		return false;
	*out = (uint64_t)json_integer_value(member);
	return true;
}

static bool
is_one_of(const char *event, const char *const *events)
{
	for (; *events != NULL; events++) {
		if (strcmp(event, *events) == 0)
			return true;
	}
	return false;
}

static bool
take_members(const json_t *object, struct sealed *out)
{
	static const char *const masters[] = {
	    "start", "stop", "policy", "worker-died", NULL};
	static const char *const commands[] = {"kill", NULL};

	if (!take_text(object, "node", true, &out->node) ||
	    !take_text(object, "chain", true, &out->chain) ||
	    !take_text(object, "session", false, &out->session) ||
	    !take_text(object, "event", true, &out->event) ||
	    !take_text(object, "mac", true, &out->mac) ||
	    !take_number(object, "seq", &out->seq) ||
	    !take_number(object, "lost", &out->lost) ||
	    !take_number(object, "last_seq", &out->last_seq) ||
	    !take_number(object, "chains", &out->chains))
		return false;
	out->is_masters = is_one_of(out->event, masters);
	out->is_brokers = strcmp(out->event, "request-refused") == 0;
	out->is_decision = is_one_of(out->event, commands) ||
	    json_object_get(object, "decided_by") != NULL ||
	    json_object_get(object, "decided_by_uid") != NULL;
	return out->seq > 0 && strlen(out->node) < VERIFY_NODE_MAX &&
	    strlen(out->session) < VERIFY_SESSION_MAX;
}

/* --- the line ------------------------------------------------------------- */

/* The object, behind what syslog has put before it. */
static bool
find_object(struct text line, struct text *out)
{
	static const char cookie[] = "@cee:";
	const char *found;

	while (line.len > 0 && (line.at[0] == ' ' || line.at[0] == '\t')) {
		line.at++;
		line.len--;
	}
	if (line.len > 0 && line.at[0] == '{') {
		*out = line;
		return true;
	}
	found = line.len == 0
	    ? NULL
	    : memmem(line.at, line.len, cookie, strlen(cookie));
	if (found == NULL)
		return false;
	found += strlen(cookie);
	*out = (struct text){found, line.len - (size_t)(found - line.at)};
	return true;
}

enum line_kind
line_read(struct line_reader *r, struct text line, struct sealed *out)
{
	struct text text;
	struct json j;

	if (!find_object(line, &text))
		return LINE_OTHER;
	json_decref(r->object);
	r->object = json_loadb(text.at, text.len, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(r->object))
		return LINE_DAMAGED;
	if (json_object_get(r->object, "mac") == NULL)
		return LINE_UNSEALED;
	json_init(&j, r->canonical, sizeof(r->canonical));
	if (!take_members(r->object, out) ||
	    !write_value(&j, NULL, r->object, 0))
		return LINE_DAMAGED;
	out->canonical = (struct text){j.at, j.len};
	return LINE_SEALED;
}

void
line_reader_free(struct line_reader *r)
{
	json_decref(r->object);
	r->object = NULL;
}
