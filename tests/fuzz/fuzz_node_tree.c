/* links: worker/postgres/catalog/node_tree.c common/text.c */
/* Any bytes as a node tree: no origin out of range. */
#include <stdlib.h>

#include "worker/postgres/catalog/node_tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct view_tree tree;
	enum err e =
	    node_tree_view((struct text){(const char *)data, size}, &tree);
	size_t i;

	for (i = 0; i < NODE_COLUMNS_MAX; i++) {
		if (e != ERR_NONE && tree.columns[i].table != 0)
			abort();
		if (tree.columns[i].column > NODE_COLUMNS_MAX)
			abort();
	}
	return 0;
}
