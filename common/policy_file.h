/*
 * policy_file.h - one file of policies.d, read; only for policy_load.c and
 * policy_examples.c.
 */
#ifndef SALLYPORT_POLICY_FILE_H
#define SALLYPORT_POLICY_FILE_H

#include "common/config.h"
#include "common/schema.h"

/* A statement and the decision its policy must come to. */
struct example {
	struct text as, on, database, sql;
	enum then expect;
	const struct node *node; /* where it stands */
};

struct policy_file {
	struct protect *protects;
	size_t protect_count;
	struct rule *rules;
	size_t rule_count;
	struct example *examples;
	size_t example_count;
	const struct node *root;
};

/* What the names in a policy must mean: context of the reading. */
struct policy_names {
	const struct settings *settings;
	const struct identities *identities;
};

/* Read one file. r->context is a struct policy_names. Complaints are in the
 * diagnostics; what was sound of the file is in `out`. */
enum err policy_file_read(
    struct reading *r, const char *file, struct policy_file *out) MUST_CHECK;

/* Of a file only its `examples`; the rest must be there by name only. */
enum err policy_file_read_examples(
    struct reading *r, const char *file, struct policy_file *out) MUST_CHECK;

/* Judge one example as of now. *text_out says in words how it went. */
enum err policy_example_run(const struct settings *s, const struct policy *p,
    const struct example *e, struct arena *a, bool *passed_out,
    const char **text_out) MUST_CHECK;

#endif
