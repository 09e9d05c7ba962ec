/*
 * schema.h - a YAML map into a C struct, as a table says.
 *
 * One row a key: its type, where it goes, its default and its range.  Every
 * complaint about a node is collected and the reading goes on; a value that
 * was wrong leaves its field zero, and the load fails in the end.
 *
 * Rows marked not_yet are words of the design that this version does not do:
 * anything but their default is an error that says so, never ignored.
 */
#ifndef SALLYPORT_SCHEMA_H
#define SALLYPORT_SCHEMA_H

#include <stddef.h>
#include <stdint.h>

#include "common/yaml.h"

enum {
	SCHEMA_LIST_MAX = 100000, /* elements of one list or map */
	SCHEMA_KEYS_MAX = 1000,	  /* keys of a map that has a schema */
	SCHEMA_TEXT_MAX = 64 * 1024, /* bytes of one text */
};

/* A reading under way. */
struct reading {
	struct arena *arena;
	struct diagnostics *diagnostics;
	enum err err;  /* sticky: ERR_MEMORY; complaints are not in here */
	void *context; /* the hooks' own */
};

/* A word that stands for a number (an enum's value, a syslog facility). */
struct choice {
	const char *word;
	int value;
	bool not_yet;
};

/* Words that stand for bits: operations, traits, detectors. */
struct vocabulary {
	const char *what; /* "operation" */
	uint64_t (*bits)(struct text word); /* 0: no such word */
	const char *const *(*words)(size_t *count_out);
};

enum field_type {
	FIELD_NOTHING,	/* stored nowhere (with not_yet) */
	FIELD_STRING,	/* const char *, never empty */
	FIELD_TEXT,	/* struct text, never empty */
	FIELD_TEXTS,	/* struct text * and count; a scalar or a list */
	FIELD_PATH,	/* const char *, absolute; relative to the file */
	FIELD_BOOL,	/* bool */
	FIELD_UNSIGNED,	/* unsigned */
	FIELD_NUMBER,	/* uint64_t */
	FIELD_SIZE,	/* size_t, bytes: 16MiB */
	FIELD_SECONDS,	/* unsigned: 30s, 10m, 1h, 1d */
	FIELD_CHOICE,	/* int-sized enum, one of `choices` */
	FIELD_BITS,	/* uint64_t, of `vocabulary`; a scalar or a list */
	FIELD_STRUCT,	/* a map into the struct at the offset */
	FIELD_STRUCTS,	/* struct * and count; a map or a list of maps */
	FIELD_NAMED,	/* struct * and count; a map of name to map */
	FIELD_CUSTOM,	/* `read` does it */
	FIELD_TYPES
};

struct schema;

struct row {
	const char *key;
	enum field_type type;
	size_t offset, count_offset;
	bool is_required;
	bool not_yet;
	bool may_be_empty; /* lists */
	const char *fallback; /* the default, as YAML; NULL: leave zero */
	uint64_t min, max;    /* numbers, in their unit; max 0: no ceiling */
	const struct choice *choices; /* ends with a NULL word */
	const struct vocabulary *vocabulary;
	const struct schema *schema; /* of nested maps */
	/* FIELD_CUSTOM: fill the field; complain with reading_complain(). */
	void (*read)(
	    struct reading *r, const struct node *value, void *field);
};

/* A row's lists, each with its count beside it: `names`, `names_count`. */
#define ROW_TEXTS(type, list)                                                  \
	FIELD_TEXTS, .offset = offsetof(struct type, list),                    \
		     .count_offset = offsetof(struct type, list##_count)
#define ROW_STRUCTS(type, list)                                                \
	FIELD_STRUCTS, .offset = offsetof(struct type, list),                  \
		       .count_offset = offsetof(struct type, list##_count)

struct schema {
	const char *what; /* "a rule", for complaints */
	size_t size;	  /* of the struct it fills */
	const struct row *rows; /* ends with a NULL key */
	/* FIELD_NAMED: take the name. NULL otherwise. */
	void (*name)(struct reading *r, const struct node *key, void *out);
	/* After the rows: what a row alone cannot tell. NULL: nothing. */
	void (*check)(
	    struct reading *r, const struct node *map, void *out);
	/* NULL: an unknown key is an error. Else it gets each of them. */
	void (*other)(struct reading *r, const struct node *key,
	    const struct node *value, void *out);
};

/* Fill `out` (zeroed, schema->size bytes) from a node that should be a map:
 * defaults first, then what is written, then schema->check. */
void schema_read(struct reading *r, const struct schema *schema,
    const struct node *node, void *out);

/* A complaint about a node. */
void reading_complain(struct reading *r, const struct node *at,
    const char *format, ...) __attribute__((format(printf, 3, 4)));

/* "unknown `what` `word`", with the nearest of `names` if one is near. */
void reading_unknown(struct reading *r, const struct node *at,
    const char *what, const char *const *names, size_t count);

/* As reading_unknown(), of words that are always the same ones: when none of
 * them is near, all are listed if there are few. */
void reading_unknown_word(struct reading *r, const struct node *at,
    const char *what, const char *const *words, size_t count);

/* Arena memory for the tree being filled; NULL sets r->err. */
void *reading_array(struct reading *r, size_t count, size_t size);

/* The scalars of a scalar or a list of scalars: how many, and the i-th. What
 * is neither is complained about and counts as none. */
size_t reading_scalar_count(struct reading *r, const struct node *n);
const struct node *reading_scalar(const struct node *n, size_t i);

/* Single values, for hooks; false after a complaint. */
bool reading_text(struct reading *r, const struct node *n, struct text *out);
bool reading_number(struct reading *r, const struct node *n, uint64_t min,
    uint64_t max, uint64_t *out);

/* `path` made absolute: as it is, or after the folder `file` is in. NULL
 * sets r->err. */
const char *reading_path(
    struct reading *r, const char *file, const char *path);

#endif
