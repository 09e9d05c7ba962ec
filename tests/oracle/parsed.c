/*
 * parsed.c - see parsed.h. The only file that includes pg_query.h.
 *
 * The scanner's answer is a protobuf of four fields a token, read here by
 * hand: a list (field 2) of messages with start (1), end (2), token (4) and
 * keyword kind (5).
 */
#include <pg_query.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "parsed.h"

char *
parsed_tree(const char *sql)
{
	PgQueryParseResult r = pg_query_parse(sql);
	char *tree = r.error == NULL ? strdup(r.parse_tree) : NULL;

	pg_query_free_parse_result(r);
	return tree;
}

/* The length of `"location":123` and its like at `at`; 0: it is none. */
static size_t
place_length(const char *at)
{
	static const char *const members[] = {
	    "\"location\":", "\"stmt_location\":", "\"stmt_len\":"};
	size_t i;

	for (i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		size_t len = strlen(members[i]);

		if (strncmp(at, members[i], len) == 0)
			return len + strspn(at + len, "-0123456789");
	}
	return 0;
}

void
parsed_forget_places(char *tree)
{
	const char *from = tree;
	char *to = tree;

	while (*from != '\0') {
		size_t len = *from == '"' ? place_length(from) : 0;

		if (len == 0) {
			if (*from == '}' && to > tree && to[-1] == ',')
				to--;
			*to++ = *from++;
			continue;
		}
		from += len;
		from += *from == ',';
	}
	*to = '\0';
}

struct reading {
	const unsigned char *at, *end;
};

static uint64_t
read_number(struct reading *r)
{
	uint64_t value = 0;
	unsigned shift = 0;

	while (r->at < r->end && shift < 64) {
		unsigned char byte = *r->at++;

		value |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			break;
		shift += 7;
	}
	return value;
}

/* A message within the message, cut to what there is. */
static struct reading
read_inner(struct reading *r)
{
	uint64_t len = read_number(r);
	struct reading inner;

	if (len > (uint64_t)(r->end - r->at))
		len = (uint64_t)(r->end - r->at);
	inner = (struct reading){r->at, r->at + len};
	r->at += len;
	return inner;
}

static struct scanned
read_token(struct reading r)
{
	struct scanned t = {0};

	while (r.at < r.end) {
		uint64_t tag = read_number(&r), value = read_number(&r);

		switch (tag >> 3) {
		case 1:
			t.start = (size_t)value;
			break;
		case 2:
			t.end = (size_t)value;
			break;
		case 4:
			t.kind = (int)value;
			break;
		case 5:
			t.keyword = (int)value;
			break;
		default:
			break;
		}
	}
	return t;
}

bool
parsed_scan(
    const char *sql, struct scanned *tokens, size_t room, size_t *count_out)
{
	PgQueryScanResult scan = pg_query_scan(sql);
	const unsigned char *data = (const unsigned char *)scan.pbuf.data;
	struct reading r = {data, data};
	size_t count = 0;

	if (scan.error == NULL)
		r.end = data + scan.pbuf.len;
	while (r.at < r.end && count < room) {
		if (read_number(&r) >> 3 == 2)
			tokens[count++] = read_token(read_inner(&r));
		else
			(void)read_number(&r); /* the version */
	}
	pg_query_free_scan_result(scan);
	*count_out = count;
	return count > 0 && count < room;
}
