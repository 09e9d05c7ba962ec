/*
 * mask_part.c - masking the parts of a value that a detector found.
 *
 * The rule: what is kept is kept byte for byte, what is masked is masked as
 * text, and the whole stays valid for its type; where that cannot be had the
 * value is NULL.
 */
#include "common/mask_inner.h"

enum { PART_GROWTH = 16 }; /* a masked part is at most so much longer */

/* Where in JSON text a place is. */
struct json_place {
	size_t next; /* scanned up to here */
	bool in_string;
	size_t escape_end; /* of the last escape that began before `next` */
};

struct parts_job {
	struct mask_type type;
	const uint8_t *key;
	struct text value;
	struct arena *arena;
	char *copy;  /* value.len + count * PART_GROWTH bytes */
	size_t len;  /* written */
	size_t done; /* of value */
	struct json_place json;
};

static bool
is_json(const struct parts_job *p)
{
	return p->type.oid == TYPE_JSON || p->type.oid == TYPE_JSONB;
}

static void
put(struct parts_job *p, struct text bytes)
{
	memcpy(p->copy + p->len, bytes.at, bytes.len);
	p->len += bytes.len;
}

static void
keep_until(struct parts_job *p, size_t at)
{
	put(p, (struct text){p->value.at + p->done, at - p->done});
	p->done = at;
}

static void
json_walk(struct parts_job *p, size_t at)
{
	struct json_place *j = &p->json;

	while (j->next < at) {
		char c = p->value.at[j->next];

		if (j->in_string && c == '\\') {
			bool is_code = j->next + 1 < p->value.len &&
			    p->value.at[j->next + 1] == 'u';

			j->next += is_code ? 6 : 2;
			j->escape_end = j->next;
			continue;
		}
		j->in_string ^= c == '"';
		j->next++;
	}
}

static bool
is_number_byte(char c)
{
	return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' ||
	    c == 'e' || c == 'E';
}

/* A number that is a card number: the whole number becomes null, as no
 * masked form is a number. */
static bool
json_number_to_null(struct parts_job *p, const struct mask_part *part)
{
	size_t end = part->at, kept = part->at - p->done;

	while (end < p->value.len && is_number_byte(p->value.at[end]))
		end++;
	if (end < part->at + part->len)
		return false;
	keep_until(p, part->at);
	while (kept-- > 0 && is_number_byte(p->copy[p->len - 1]))
		p->len--;
	put(p, TEXT("null"));
	p->done = end;
	return true;
}

/* Would it break the markup or quoting around it? */
static bool
is_special(struct text t)
{
	size_t i;

	for (i = 0; i < t.len; i++) {
		if ((unsigned char)t.at[i] < 0x20 || t.at[i] == '"' ||
		    t.at[i] == '\\' || t.at[i] == '<' || t.at[i] == '&' ||
		    t.at[i] == '>')
			return true;
	}
	return false;
}

static void
put_masked(struct parts_job *p, enum mask m, struct text part)
{
	struct mask_job j = {.mask = m,
	    .type = {.oid = TYPE_TEXT},
	    .key = p->key,
	    .value = part,
	    .arena = p->arena};
	struct text masked;

	if (!mask_text(&j, &masked) || masked.len > part.len + PART_GROWTH ||
	    is_special(masked)) {
		j.mask = MASK_REDACT;
		(void)mask_text(&j, &masked);
	}
	put(p, masked);
}

/* False: the value cannot be had with this part masked. */
static bool
put_part(struct parts_job *p, const struct mask_part *part)
{
	size_t at = part->at, end = part->at + part->len;

	if (at < p->done || part->len > p->value.len - at ||
	    part->mask == MASK_NULL)
		return part->mask != MASK_NULL && end <= p->done;
	if (part->mask == MASK_NONE)
		return true;
	if (is_json(p)) {
		json_walk(p, at);
		if (!p->json.in_string)
			return json_number_to_null(p, part);
		/* the n of \n is no letter of the address after it */
		if (at < p->json.escape_end)
			at = p->json.escape_end;
		if (at >= end ||
		    is_special((struct text){p->value.at + at, end - at}))
			return false;
	}
	keep_until(p, at);
	put_masked(p, part->mask, (struct text){p->value.at + at, end - at});
	p->done = end;
	return true;
}

static bool
is_partly_maskable(uint32_t oid)
{
	return oid == TYPE_TEXT || oid == TYPE_VARCHAR || oid == TYPE_BPCHAR ||
	    oid == TYPE_NAME || oid == TYPE_UNKNOWN || oid == TYPE_CSTRING ||
	    oid == TYPE_JSON || oid == TYPE_JSONB || oid == TYPE_XML;
}

void
mask_parts(struct mask_type type, const uint8_t *key, struct text value,
    const struct mask_part *parts, size_t count, struct arena *a,
    struct masked *out)
{
	struct parts_job p = {
	    .type = type, .key = key, .value = value, .arena = a};
	size_t i;

	out->is_null = true;
	out->value = (struct text){NULL, 0};
	if (!is_partly_maskable(type.oid) || value.len > MASK_VALUE_MAX ||
	    count > value.len)
		return;
	p.copy = arena_alloc(a, value.len + count * PART_GROWTH);
	if (p.copy == NULL)
		return;
	for (i = 0; i < count; i++) {
		if (parts[i].at > value.len || !put_part(&p, &parts[i]))
			return;
	}
	keep_until(&p, value.len);
	out->is_null = false;
	out->value = (struct text){p.copy, p.len};
}
