/*
 * class_file.h - a file of class rules as YAML: walking it, and its macros.
 *
 * Used by class_rules.c alone.
 */
#ifndef SALLYPORT_CLASS_FILE_H
#define SALLYPORT_CLASS_FILE_H

#include "common/class_rules.h"
#include "common/yaml.h"

struct class_file {
	struct class_rules *rules;
	const struct node *define; /* the mapping of macros, or NULL */
	struct arena *tree;	   /* the nodes; gone when all is read */
	struct text pattern;	   /* the last one, its macros replaced */
	struct arena *messages;
	const char **message_out;
};

/* What a key's value or a list's word is handed to. */
typedef enum err (*class_taker)(
    struct class_file *f, const struct node *value, void *context);

struct class_key {
	const char *name;
	class_taker take;
};

/* "file:line:column: what word", in *message_out; ERR_INVALID. */
enum err class_file_complain(struct class_file *f, const struct node *at,
    const char *what, struct text word) MUST_CHECK;
enum err class_file_unwanted(
    struct class_file *f, const struct node *at, const char *what) MUST_CHECK;

/* Call `take` for each scalar of a list, or for the one scalar. */
enum err class_file_words(struct class_file *f, const struct node *n,
    class_taker take, void *context) MUST_CHECK;

/* Hand each value of a mapping to the taker of its key. */
enum err class_file_keys(struct class_file *f, const struct node *n,
    const struct class_key *keys, size_t key_count, void *context) MUST_CHECK;

/* Compile a pattern, or a list of its parts, with macros replaced. *out must
 * be NULL: one is enough. */
enum err class_file_pattern(struct class_file *f, const struct node *n,
    struct pattern **out) MUST_CHECK;

/* Parse a file and hand its keys out. */
enum err class_file_load(struct class_file *f, const char *name,
    struct text yaml, const struct class_key *keys, size_t count) MUST_CHECK;

#endif
