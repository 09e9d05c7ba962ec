/* links: common/json.c common/text.c */
/*
 * Any bytes as a value of an audit record: a reader finds the one object, with
 * the members that were put there and no others.
 */
#include <jansson.h>
#include <stdlib.h>

#include "common/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char room[64 * 1024];
	struct text first = {(const char *)data, size / 2};
	struct text second = {(const char *)data + size / 2, size - size / 2};
	const struct text both[] = {first, second};
	const char *told;
	struct json j;
	json_t *root;
	size_t i;

	json_init(&j, room, sizeof(room));
	json_open(&j, NULL, '{');
	json_text(&j, "user", first);
	json_texts(&j, "groups", both, 2);
	json_text(&j, "statement", second);
	json_number(&j, "rows", (int64_t)size - 7);
	json_close(&j, '}');
	if (j.len > sizeof(room))
		abort();
	if (j.overflowed)
		return 0;
	for (i = 0; i < j.len; i++) {
		if ((unsigned char)room[i] < ' ')
			abort(); /* a line, a frame: nothing ends it early */
	}
	root = json_loadb(room, j.len, JSON_REJECT_DUPLICATES, NULL);
	told = json_string_value(json_object_get(root, "statement"));
	if (json_object_size(root) != 4 || told == NULL ||
	    json_array_size(json_object_get(root, "groups")) != 2)
		abort();
	if (text_is_utf8(second) && memchr(data, '\0', size) == NULL &&
	    (json_string_length(json_object_get(root, "statement")) !=
		    second.len ||
		memcmp(told, second.at, second.len) != 0))
		abort();
	json_decref(root);
	return 0;
}
