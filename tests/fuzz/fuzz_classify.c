/* links: common/classify.c common/class_reader.c common/class_catch.c common/class_names.c common/class_settle.c common/class_rules.c common/class_file.c common/class_need.c common/canonical.c common/flat.c common/words.c common/lexer.c common/lexer_number.c common/lexer_string.c common/lexer_unicode.c common/regex.c common/vocab.c common/arena.c common/text.c common/err.c common/yaml.c common/diagnostics.c */
#include <stdio.h>
#include <stdlib.h>

#include "common/classify.h"

static struct text
read_file(const char *path)
{
	static char bytes[2][512 * 1024];
	static size_t turn;
	char *to = bytes[turn++ % 2];
	FILE *file = fopen(path, "r");
	size_t len;

	if (file == NULL)
		abort();
	len = fread(to, 1, sizeof(bytes[0]), file);
	fclose(file);
	return (struct text){to, len};
}

static struct classifier *
load(void)
{
	struct arena *a = arena_new(0);
	struct classifier *c;
	const char *message;

	if (classifier_new(DIALECT_POSTGRES, "classes",
		read_file("policies/classes/postgres.yaml"), "functions",
		read_file("policies/functions/postgres.yaml"), a, &c,
		&message) != ERR_NONE)
		abort();
	arena_free(a);
	return c;
}

/* Any text: refused with words, or every statement has an operation and a
 * canonical text in which no token holds a space or a line's end. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct lex_state state = {.dialect = DIALECT_POSTGRES,
	    .standard_conforming_strings = true,
	    .is_utf8 = true};
	static struct classifier *classifier;
	struct text sql = {(const char *)data, size};
	struct arena *a = arena_new(64 << 20);
	struct classified c;
	size_t i;
	enum err e;

	if (classifier == NULL)
		classifier = load();
	e = classify_text(classifier, &state, sql, a, &c);
	if ((e != ERR_NONE) != (c.error != NULL))
		abort();
	for (i = 0; i < c.count; i++) {
		const struct statement *s = &c.statements[i];

		if (s->operations == 0 || s->canonical.len == 0 ||
		    memchr(s->canonical.at, '\n', s->canonical.len) != NULL)
			abort();
	}
	arena_free(a);
	return 0;
}
