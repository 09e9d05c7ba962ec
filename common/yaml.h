/*
 * yaml.h - a YAML document as a tree that remembers where it stood.
 *
 * Strict on purpose: one document; anchors, aliases, explicit tags, keys that
 * are not plain words, duplicate keys, NUL characters and anything but UTF-8
 * are errors.  Scalars stay text; whoever reads one decides what it is.  The
 * only file that includes <yaml.h> is yaml.c.
 */
#ifndef SALLYPORT_YAML_H
#define SALLYPORT_YAML_H

#include <stdbool.h>

#include "common/arena.h"
#include "common/diagnostics.h"
#include "common/err.h"
#include "common/text.h"

enum {
	YAML_BYTES_MAX = 4 * 1024 * 1024, /* a file */
	YAML_DEPTH_MAX = 24,
	YAML_NODES_MAX = 200000, /* in a file */
};

enum node_kind { NODE_SCALAR, NODE_LIST, NODE_MAP };

struct pair;

struct node {
	enum node_kind kind;
	const char *file;
	size_t line, column; /* from 1 */
	struct text text;    /* NODE_SCALAR; a NUL follows it */
	bool is_quoted;	     /* NODE_SCALAR: "…", '…', | or >: always text,
			      * never a number, a boolean or nothing */
	struct node **items; /* NODE_LIST */
	struct pair *pairs;  /* NODE_MAP, in the file's order */
	size_t count;	     /* of items or pairs */
};

struct pair {
	struct node *key; /* a scalar */
	struct node *value;
};

/* Parse `text`, naming `file` (borrowed for as long as the tree lives) in
 * complaints.  ERR_INVALID: diagnostics say why; *out is then the tree if one
 * could be built all the same (duplicate keys), to look for more to complain
 * about, else NULL.  An empty document is a NODE_SCALAR of no text.
 * ERR_MEMORY.  Everything lives in the arena. */
enum err yaml_parse(const char *file, struct text text, struct arena *a,
    struct diagnostics *d, struct node **out) MUST_CHECK;

/* As yaml_parse(), of a file's contents. ERR_SYSTEM (with a diagnostic) when
 * it cannot be read; over YAML_BYTES_MAX is ERR_INVALID. */
enum err yaml_load(const char *file, struct arena *a, struct diagnostics *d,
    struct node **out) MUST_CHECK;

/* The bytes of a regular file, as yaml_load() reads them. */
enum err yaml_read_file(const char *file, struct arena *a,
    struct diagnostics *d, struct text *out) MUST_CHECK;

/* The value of a key of a NODE_MAP, or NULL. Any other kind has no keys. */
struct node *yaml_get(const struct node *map, const char *key);

/* Is it a scalar with nothing in it: `key:`, `~` or `null`, unquoted? */
bool yaml_is_null(const struct node *n);

#endif
