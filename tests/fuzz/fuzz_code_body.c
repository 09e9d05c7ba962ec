/* links: common/code_body.c common/code_whole.c common/code_trigger.c common/code_escape.c common/code_calls.c common/lexer.c common/lexer_number.c common/lexer_string.c common/lexer_unicode.c common/arena.c common/text.c */
/* Any bytes as a function's body: read to the end or called opaque. */
#include <stdlib.h>

#include "common/code_body.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
is_relation(void *context, struct text name)
{
	(void)context;
	return name.len % 2 == 0;
}

static enum err
take_name(void *context, struct text name)
{
	*(size_t *)context += name.len;
	return ERR_NONE;
}

static enum err
take_call(void *context, const struct code_call *call)
{
	if (call->kind >= CODE_KIND_MAX)
		abort();
	return take_name(context, call->name);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t seen = 0;
	const struct code_listener listener = {.context = &seen,
	    .is_relation = is_relation,
	    .take_name = take_name,
	    .take_call = take_call};
	struct code_facts facts = {0};
	struct arena *a = arena_new(0);

	if (a == NULL ||
	    code_body_read((struct text){(const char *)data, size}, a,
		&listener, &facts) != ERR_NONE)
		abort();
	arena_free(a);
	return 0;
}
