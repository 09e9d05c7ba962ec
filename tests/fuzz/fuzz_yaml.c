/* links: common/yaml.c common/diagnostics.c common/arena.c common/text.c */
/*
 * fuzz_yaml.c - whatever bytes as a YAML file.
 */
#include <stdlib.h>

#include "common/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/* A tree is what its parser said it would be. */
static size_t
walk(const struct node *n, size_t depth)
{
	size_t i, count = 1;

	if (depth > YAML_DEPTH_MAX + 1 || n->line == 0 || n->column == 0)
		abort();
	if (n->kind == NODE_SCALAR && n->text.at[n->text.len] != '\0')
		abort();
	for (i = 0; n->kind == NODE_LIST && i < n->count; i++)
		count += walk(n->items[i], depth + 1);
	for (i = 0; n->kind == NODE_MAP && i < n->count; i++)
		count += walk(n->pairs[i].key, depth + 1) +
		    walk(n->pairs[i].value, depth + 1);
	return count;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct arena *a = arena_new(64 * 1024 * 1024);
	struct diagnostics *d = diagnostics_new(a);
	struct text text = {(const char *)bytes, len};
	struct node *root;
	enum err err = yaml_parse("f", text, a, d, &root);

	if ((err == ERR_NONE) != (diagnostics_count(d) == 0))
		abort();
	if (root != NULL && walk(root, 0) > YAML_NODES_MAX)
		abort();
	arena_free(a);
	return 0;
}
