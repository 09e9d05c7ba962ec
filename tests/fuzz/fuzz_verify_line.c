/* links: master/command/verify_line.c common/json.c common/text.c */
/*
 * Whatever bytes as a line of an audit log: what is taken for a record has a
 * canonical form that means the same, is its own, and has no mac in it.
 */
#include <stdlib.h>
#include <string.h>

#include "master/command/verify.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The canonical form with its mac again, as a line of its own. */
static size_t
seal(const struct sealed *record, char *out)
{
	memcpy(out, record->canonical.at, record->canonical.len);
	memcpy(out + record->canonical.len - 1, ",\"mac\":\"x\"}", 12);
	return record->canonical.len + 10;
}

static void
check(const struct line_reader *r, const struct sealed *record)
{
	static struct line_reader again;
	static char line[AUDIT_RECORD_MAX + 16];
	struct text text = record->canonical;
	json_t *whole = json_deep_copy(r->object);
	json_t *same =
	    json_loadb(text.at, text.len, JSON_REJECT_DUPLICATES, NULL);
	struct sealed other;

	json_object_del(whole, "mac");
	if (same == NULL || !json_equal(whole, same))
		abort();
	if (record->seq == 0 || record->node[0] == '\0' ||
	    strlen(record->node) >= VERIFY_NODE_MAX ||
	    strlen(record->session) >= VERIFY_SESSION_MAX)
		abort();
	text = (struct text){line, seal(record, line)};
	if (line_read(&again, text, &other) != LINE_SEALED ||
	    !text_is(other.canonical, record->canonical) ||
	    other.seq != record->seq || strcmp(other.mac, "x") != 0)
		abort();
	json_decref(whole);
	json_decref(same);
	line_reader_free(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct line_reader reader;
	struct text line = {(const char *)data, size};
	struct sealed record;

	if (line_read(&reader, line, &record) == LINE_SEALED)
		check(&reader, &record);
	line_reader_free(&reader);
	return 0;
}
