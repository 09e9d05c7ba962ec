/*
 * catalog_rows.c - lists that grow, and fields that are numbers.
 */
#include <string.h>

#include "worker/postgres/catalog/catalog_rows.h"

enum { LIST_FIRST = 16 };

enum err
rows_grow(struct arena *a, void **list, size_t count, size_t *room, size_t size,
    size_t most)
{
	size_t more = *room == 0 ? LIST_FIRST : *room * 2;
	void *copy;

	if (count < *room)
		return ERR_NONE;
	if (count >= most)
		return ERR_TOO_LONG;
	copy = arena_array(a, more, size);
	if (copy == NULL)
		return ERR_MEMORY;
	if (count > 0)
		memcpy(copy, *list, count * size);
	*list = copy;
	*room = more;
	return ERR_NONE;
}

bool
rows_number(struct text field, uint64_t most, uint32_t *out)
{
	uint64_t number = 0;
	size_t i;

	if (field.at == NULL || field.len == 0 || field.len > 10)
		return false;
	for (i = 0; i < field.len; i++) {
		if (field.at[i] < '0' || field.at[i] > '9')
			return false;
		number = number * 10 + (uint64_t)(field.at[i] - '0');
	}
	*out = (uint32_t)number;
	return number <= most;
}
