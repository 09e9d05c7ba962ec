/*
 * policy_compile.c - patterns and classifiers of a policy, made and freed.
 *
 * The rule: a policy is either compiled whole or not used.
 */
#include "common/policy.h"
#include "common/regex.h"

static const char *const dialect_names[DIALECT_MAX] = {
    [DIALECT_POSTGRES] = "postgres",
    [DIALECT_MYSQL] = "mysql",
    [DIALECT_SQLITE] = "sqlite",
};

const char *
policy_dialect_name(enum dialect d)
{
	return (unsigned)d < DIALECT_MAX ? dialect_names[d] : "unknown";
}

static enum err
compile_dialect(struct policy *p, enum dialect d, const char *folder,
    struct arena *a, const char **message_out)
{
	struct text list = p->functions_yaml[d];
	const char *classes, *functions;

	if (p->classes_yaml[d].len == 0)
		return ERR_NONE;
	classes = arena_printf(
	    a, "%s/classes/%s.yaml", folder, dialect_names[d]);
	functions = arena_printf(
	    a, "%s/functions/%s.yaml", folder, dialect_names[d]);
	if (classes == NULL || functions == NULL)
		return ERR_MEMORY;
	if (list.len == 0)
		list = TEXT(""); /* decoded, it is NULL */
	return classifier_new(d, classes, p->classes_yaml[d], functions, list,
	    a, &p->classifiers[d], message_out);
}

enum err
policy_compile(struct policy *p, const char *folder, struct arena *a,
    const char **message_out)
{
	enum err err = ERR_NONE;
	size_t i;

	*message_out = "out of memory";
	for (i = 0; i < p->rule_count && err == ERR_NONE; i++) {
		struct rule *r = &p->rules[i];

		if (r->matches.len > 0)
			err = pattern_new(
			    r->matches, a, &r->pattern, message_out);
	}
	for (i = 0; i < DIALECT_MAX && err == ERR_NONE; i++)
		err = compile_dialect(
		    p, (enum dialect)i, folder, a, message_out);
	return err;
}

void
policy_close(struct policy *p)
{
	size_t i;

	for (i = 0; i < p->rule_count; i++) {
		pattern_free(p->rules[i].pattern);
		p->rules[i].pattern = NULL;
	}
	for (i = 0; i < DIALECT_MAX; i++) {
		classifier_free(p->classifiers[i]);
		p->classifiers[i] = NULL;
	}
}
