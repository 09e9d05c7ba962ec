/*
 * yaml.c - libyaml's events into a tree.
 *
 * The rule: what YAML can express beyond plain maps, lists and scalars is
 * refused, because two readers could disagree about it.  Trusts libyaml to
 * scan; counts depth and nodes itself.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <yaml.h>

#include "common/yaml.h"

struct loader {
	yaml_parser_t parser;
	const char *file;
	struct arena *arena;
	struct diagnostics *diagnostics;
	size_t nodes;
	size_t depth;
	enum err err; /* sticky; set with the diagnostic that explains it */
};

/* Children while their number is not known. */
struct children {
	struct node **at;
	size_t count, room;
};

static void
complain(struct loader *l, enum err err, yaml_mark_t mark, const char *what)
{
	diagnostics_add(l->diagnostics, l->file, mark.line + 1, mark.column + 1,
	    "%s", what);
	l->err = err;
}

static bool
next_event(struct loader *l, yaml_event_t *event)
{
	const yaml_parser_t *p = &l->parser;

	if (l->err != ERR_NONE)
		return false;
	if (yaml_parser_parse(&l->parser, event) == 1)
		return true;
	complain(l, p->error == YAML_MEMORY_ERROR ? ERR_MEMORY : ERR_INVALID,
	    p->problem_mark, p->problem != NULL ? p->problem : "not YAML");
	return false;
}

static struct node *
node_new(struct loader *l, enum node_kind kind, const yaml_event_t *event)
{
	struct node *n;

	if (++l->nodes > YAML_NODES_MAX) {
		complain(l, ERR_INVALID, event->start_mark, "too many values");
		return NULL;
	}
	n = arena_alloc(l->arena, sizeof(*n));
	if (n == NULL) {
		complain(l, ERR_MEMORY, event->start_mark, "out of memory");
		return NULL;
	}
	n->kind = kind;
	n->file = l->file;
	n->line = event->start_mark.line + 1;
	n->column = event->start_mark.column + 1;
	return n;
}

static void
children_add(struct loader *l, struct children *c, struct node *child)
{
	size_t room = c->room == 0 ? 8 : c->room * 2;
	struct node **grown;

	if (c->count == c->room) {
		grown = reallocarray(c->at, room, sizeof(*grown));
		if (grown == NULL) {
			l->err = ERR_MEMORY;
			return;
		}
		c->at = grown;
		c->room = room;
	}
	c->at[c->count++] = child;
}

/* Anchors and tags make a value something else than it looks. */
static bool
is_plain(struct loader *l, const yaml_event_t *e, const unsigned char *anchor,
    const unsigned char *tag)
{
	if (anchor != NULL)
		complain(l, ERR_INVALID, e->start_mark,
		    "anchors and aliases are not allowed");
	else if (tag != NULL)
		complain(l, ERR_INVALID, e->start_mark,
		    "tags are not allowed");
	return anchor == NULL && tag == NULL;
}

static struct node *
read_scalar(struct loader *l, const yaml_event_t *e)
{
	const unsigned char *value = e->data.scalar.value;
	size_t len = e->data.scalar.length;
	struct node *n;

	if (!is_plain(l, e, e->data.scalar.anchor, e->data.scalar.tag))
		return NULL;
	if (memchr(value, '\0', len) != NULL) {
		complain(l, ERR_INVALID, e->start_mark,
		    "a NUL character is not allowed");
		return NULL;
	}
	n = node_new(l, NODE_SCALAR, e);
	if (n == NULL)
		return NULL;
	n->is_quoted = e->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
	n->text = (struct text){arena_copy(l->arena, value, len), len};
	if (n->text.at == NULL)
		complain(l, ERR_MEMORY, e->start_mark, "out of memory");
	return n;
}

static struct node *read_node(struct loader *l, const yaml_event_t *event);

/* The children up to the event that ends their parent. */
static void
read_children(struct loader *l, yaml_event_type_t end, struct children *c)
{
	yaml_event_t event;
	struct node *child;
	bool ended = false;

	while (!ended && next_event(l, &event)) {
		ended = event.type == end;
		child = ended ? NULL : read_node(l, &event);
		if (child != NULL)
			children_add(l, c, child);
		yaml_event_delete(&event);
	}
}

/* A key of a map, for finding equal ones without comparing all with all. */
struct hashed {
	uint64_t hash;
	size_t index;
};

static int
hashed_compare(const void *left, const void *right)
{
	const struct hashed *a = left, *b = right;

	if (a->hash != b->hash)
		return a->hash < b->hash ? -1 : 1;
	return a->index < b->index ? -1 : a->index > b->index;
}

/* Not through complain(): the tree is still worth reading. */
static void
complain_twice(struct loader *l, const struct node *key, size_t first_line)
{
	diagnostics_add(l->diagnostics, key->file, key->line, key->column,
	    "`%s` is here twice (first in line %zu)", key->text.at, first_line);
}

static void
check_duplicates(struct loader *l, const struct node *map)
{
	struct hashed *keys = calloc(map->count + 1, sizeof(*keys));
	size_t i;

	if (keys == NULL) {
		l->err = ERR_MEMORY;
		return;
	}
	for (i = 0; i < map->count; i++)
		keys[i] = (struct hashed){text_hash(map->pairs[i].key->text), i};
	qsort(keys, map->count, sizeof(*keys), hashed_compare);
	for (i = 1; i < map->count; i++) {
		const struct node *one = map->pairs[keys[i - 1].index].key;
		const struct node *two = map->pairs[keys[i].index].key;

		if (text_is(one->text, two->text))
			complain_twice(l, two, one->line);
	}
	free(keys);
}

static bool
is_key(struct loader *l, const struct node *key)
{
	if (key->kind == NODE_SCALAR && key->text.len > 0)
		return true;
	diagnostics_add(l->diagnostics, key->file, key->line, key->column,
	    "a key must be a word");
	l->err = ERR_INVALID;
	return false;
}

static void
fill_map(struct loader *l, struct node *n, const struct children *c)
{
	size_t i;

	n->pairs = arena_array(l->arena, c->count / 2, sizeof(*n->pairs));
	if (n->pairs == NULL) {
		l->err = ERR_MEMORY;
		return;
	}
	n->count = c->count / 2;
	for (i = 0; i < n->count; i++) {
		n->pairs[i].key = c->at[2 * i];
		n->pairs[i].value = c->at[2 * i + 1];
		if (!is_key(l, n->pairs[i].key))
			return;
	}
	check_duplicates(l, n);
}

static void
fill_list(struct loader *l, struct node *n, const struct children *c)
{
	n->items = arena_array(l->arena, c->count, sizeof(*n->items));
	if (n->items == NULL) {
		l->err = ERR_MEMORY;
		return;
	}
	n->count = c->count;
	if (c->count > 0)
		memcpy(n->items, c->at, c->count * sizeof(*n->items));
}

static struct node *
read_collection(struct loader *l, const yaml_event_t *e, enum node_kind kind)
{
	struct children c = {NULL, 0, 0};
	struct node *n = node_new(l, kind, e);

	if (n == NULL)
		return NULL;
	if (++l->depth > YAML_DEPTH_MAX) {
		complain(l, ERR_INVALID, e->start_mark, "nested too deeply");
		return NULL;
	}
	read_children(l, kind == NODE_MAP ? YAML_MAPPING_END_EVENT
					  : YAML_SEQUENCE_END_EVENT, &c);
	l->depth--;
	if (l->err == ERR_NONE && kind == NODE_MAP)
		fill_map(l, n, &c);
	else if (l->err == ERR_NONE)
		fill_list(l, n, &c);
	free(c.at);
	return n;
}

static struct node *
read_node(struct loader *l, const yaml_event_t *e)
{
	switch (e->type) {
	case YAML_SCALAR_EVENT:
		return read_scalar(l, e);
	case YAML_SEQUENCE_START_EVENT:
		if (!is_plain(l, e, e->data.sequence_start.anchor,
			e->data.sequence_start.tag))
			return NULL;
		return read_collection(l, e, NODE_LIST);
	case YAML_MAPPING_START_EVENT:
		if (!is_plain(l, e, e->data.mapping_start.anchor,
			e->data.mapping_start.tag))
			return NULL;
		return read_collection(l, e, NODE_MAP);
	case YAML_ALIAS_EVENT:
		complain(l, ERR_INVALID, e->start_mark,
		    "anchors and aliases are not allowed");
		return NULL;
	default:
		complain(l, ERR_INVALID, e->start_mark, "a value is missing");
		return NULL;
	}
}

/* What an empty file amounts to. */
static struct node *
read_nothing(struct loader *l, const yaml_event_t *e)
{
	struct node *n = node_new(l, NODE_SCALAR, e);

	if (n != NULL)
		n->text = TEXT("");
	return n;
}

static struct node *
read_document(struct loader *l)
{
	yaml_event_t event;
	struct node *root = NULL;
	bool ended = false;

	while (!ended && next_event(l, &event)) {
		ended = event.type == YAML_STREAM_END_EVENT;
		if (event.type == YAML_DOCUMENT_START_EVENT && root != NULL)
			complain(l, ERR_INVALID, event.start_mark,
			    "only one document is allowed in a file");
		else if (ended && root == NULL)
			root = read_nothing(l, &event);
		else if (event.type == YAML_SCALAR_EVENT ||
		    event.type == YAML_SEQUENCE_START_EVENT ||
		    event.type == YAML_MAPPING_START_EVENT ||
		    event.type == YAML_ALIAS_EVENT)
			root = read_node(l, &event);
		yaml_event_delete(&event);
	}
	return root;
}

enum err
yaml_parse(const char *file, struct text text, struct arena *a,
    struct diagnostics *d, struct node **out)
{
	struct loader l = {.file = file, .arena = a, .diagnostics = d};
	size_t before = diagnostics_count(d);
	struct node *root;

	*out = NULL;
	if (text.len > YAML_BYTES_MAX) {
		diagnostics_add(d, file, 0, 0, "longer than 4 MiB");
		return ERR_INVALID;
	}
	if (yaml_parser_initialize(&l.parser) != 1)
		return ERR_MEMORY;
	yaml_parser_set_encoding(&l.parser, YAML_UTF8_ENCODING);
	/* libyaml aborts on NULL, which an empty text may have. */
	yaml_parser_set_input_string(&l.parser,
	    (const unsigned char *)(text.len > 0 ? text.at : ""), text.len);
	root = read_document(&l);
	yaml_parser_delete(&l.parser);
	if (l.err != ERR_NONE)
		return l.err;
	*out = root;
	return diagnostics_count(d) == before ? ERR_NONE : ERR_INVALID;
}

static enum err
read_all(int fd, size_t size, struct arena *a, struct text *out)
{
	char *bytes = arena_alloc(a, size + 1);
	size_t len = 0;
	ssize_t n = 1;

	if (bytes == NULL)
		return ERR_MEMORY;
	/* A file that grows meanwhile is read as long as it was. */
	while (len < size && n > 0) {
		n = read(fd, bytes + len, size - len);
		if (n < 0 && errno != EINTR)
			return ERR_SYSTEM;
		len += n > 0 ? (size_t)n : 0;
		n = n < 0 ? 1 : n;
	}
	*out = (struct text){bytes, len};
	return ERR_NONE;
}

enum err
yaml_read_file(const char *file, struct arena *a, struct diagnostics *d,
    struct text *out)
{
	/* O_NONBLOCK: opening a FIFO must not wait for a writer. */
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;
	enum err err = ERR_SYSTEM;

	if (fd >= 0 && fstat(fd, &st) == 0 && !S_ISREG(st.st_mode)) {
		diagnostics_add(d, file, 0, 0, "not a regular file");
		err = ERR_INVALID;
	} else if (fd >= 0 && st.st_size > YAML_BYTES_MAX) {
		diagnostics_add(d, file, 0, 0, "longer than 4 MiB");
		err = ERR_INVALID;
	} else if (fd >= 0) {
		err = read_all(fd, (size_t)st.st_size, a, out);
	}
	if (err == ERR_SYSTEM)
		diagnostics_add(d, file, 0, 0, "%s", strerror(errno));
	if (fd >= 0)
		close(fd);
	return err;
}

enum err
yaml_load(const char *file, struct arena *a, struct diagnostics *d,
    struct node **out)
{
	struct text text;
	enum err err = yaml_read_file(file, a, d, &text);

	*out = NULL;
	return err == ERR_NONE ? yaml_parse(file, text, a, d, out) : err;
}

struct node *
yaml_get(const struct node *map, const char *key)
{
	size_t i;

	for (i = 0; map->kind == NODE_MAP && i < map->count; i++) {
		if (text_is(map->pairs[i].key->text, text_of(key)))
			return map->pairs[i].value;
	}
	return NULL;
}

bool
yaml_is_null(const struct node *n)
{
	if (n->kind != NODE_SCALAR || n->is_quoted)
		return false;
	return n->text.len == 0 || text_is(n->text, TEXT("~")) ||
	    text_is(n->text, TEXT("null"));
}
