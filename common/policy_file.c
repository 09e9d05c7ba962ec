/*
 * policy_file.c - the tables of a policy file but its rules'.
 *
 * The rule: names in a policy must mean something here.
 */
#include <string.h>

#include "common/detect.h"
#include "common/policy_rule.h"
#include "common/who.h"

static const struct vocabulary detectors = {
    "detector", detector_bit, detector_words};

static const struct choice expectations[] = {
    {"allow", THEN_ALLOW, false},
    {"approve", THEN_APPROVE, false},
    {"deny", THEN_DENY, false},
    {NULL, 0, false},
};

static const struct choice deriveds[] = {
    {"mask", DERIVED_MASK, false},
    {"deny", DERIVED_DENY, false},
    {NULL, 0, false},
};

static const struct choice predicate_uses[] = {
    {"equality", PREDICATES_EQUALITY, false},
    {"allow", PREDICATES_ALLOW, false},
    {"deny", PREDICATES_DENY, true},
    {NULL, 0, false},
};

/* --- protect ------------------------------------------------------------- */

static void
read_mask(struct reading *r, const struct node *n, void *field)
{
	const char *const *words;
	struct text word;
	enum mask mask;
	size_t count;

	if (!reading_text(r, n, &word))
		return;
	mask = mask_by_name(word);
	if (mask == MASK_MAX || mask == MASK_NONE) {
		words = mask_words(&count);
		reading_unknown_word(r, n, "mask", words, count);
		return;
	}
	*(enum mask *)field = mask;
}

static void
check_protect(struct reading *r, const struct node *map, void *out)
{
	const struct policy_names *names = r->context;
	const struct protect *p = out;
	const struct node *predicates = yaml_get(map, "predicates");
	const struct node *derived = yaml_get(map, "derived");
	bool has_columns = yaml_get(map, "columns") != NULL;

	policy_check_length(r, map, "name", p->name, RULE_NAME_MAX);
	policy_check_glob_parts(r, map, "columns", p->columns, p->column_count, 3, 3,
	    "a column such as public.customers.email");
	who_check_list(r, yaml_get(map, "clear_for"), names->identities);
	if (!has_columns && yaml_get(map, "values") == NULL)
		reading_complain(r, map, "protects neither `columns` nor "
		    "`values`");
	if (!has_columns && predicates != NULL)
		reading_complain(r, predicates, "`predicates` is for columns");
	if (!has_columns && derived != NULL)
		reading_complain(r, derived, "`derived` is for columns");
}

#define PROTECT(field) .offset = offsetof(struct protect, field)

static const struct schema protect_schema = {
    .what = "a protect",
    .size = sizeof(struct protect),
    .check = check_protect,
    .rows = (const struct row[]){
	{"name", FIELD_TEXT, PROTECT(name), .is_required = true},
	{"columns", FIELD_TEXTS, PROTECT(columns),
	    .count_offset = offsetof(struct protect, column_count)},
	{"values", FIELD_BITS, PROTECT(detectors), .vocabulary = &detectors},
	{"mask", FIELD_CUSTOM, PROTECT(mask), .is_required = true,
	    .read = read_mask},
	{"clear_for", ROW_STRUCTS(protect, clear_for), .schema = &who_schema},
	{"derived", FIELD_CHOICE, PROTECT(derived), .fallback = "mask",
	    .choices = deriveds},
	{"predicates", FIELD_CHOICE, PROTECT(predicates),
	    .fallback = "equality", .choices = predicate_uses},
	{0},
    },
};

/* --- examples ------------------------------------------------------------ */

static void
check_login(struct reading *r, const struct node *n,
    const struct identities *ids)
{
	struct identity id;
	enum err err = identity_resolve(ids, n->text, &id);

	if (err == ERR_NOT_FOUND)
		reading_complain(r, n,
		    "`%.130s` is no person, no agent and no person+agent",
		    n->text.at);
	else if (err != ERR_NONE)
		reading_complain(r, n, "in `%.130s` the agent may not act for "
		    "that person", n->text.at);
}

static void
check_example(struct reading *r, const struct node *map, void *out)
{
	const struct policy_names *names = r->context;
	struct example *e = out;

	e->node = map;
	if (e->as.len > 0)
		check_login(r, yaml_get(map, "as"), names->identities);
	if (e->on.len > 0 && settings_upstream(names->settings, e->on) == NULL)
		policy_complain_of_upstream(r, yaml_get(map, "on"));
}

#define EXAMPLE(field) .offset = offsetof(struct example, field)

static const struct schema example_schema = {
    .what = "an example",
    .size = sizeof(struct example),
    .check = check_example,
    .rows = (const struct row[]){
	{"as", FIELD_TEXT, EXAMPLE(as), .is_required = true},
	{"on", FIELD_TEXT, EXAMPLE(on), .is_required = true},
	{"database", FIELD_TEXT, EXAMPLE(database)},
	{"sql", FIELD_TEXT, EXAMPLE(sql), .is_required = true},
	{"expect", FIELD_CHOICE, EXAMPLE(expect), .is_required = true,
	    .choices = expectations},
	{0},
    },
};

/* --- a file -------------------------------------------------------------- */

#define FILE_LIST(list, one)                                                   \
	FIELD_STRUCTS, .offset = offsetof(struct policy_file, list),           \
		       .count_offset = offsetof(struct policy_file, one)

static const struct schema file_schema = {
    .what = "a policy file",
    .size = sizeof(struct policy_file),
    .rows = (const struct row[]){
	{"protect", FILE_LIST(protects, protect_count), .may_be_empty = true,
	    .schema = &protect_schema},
	{"rules", FILE_LIST(rules, rule_count), .may_be_empty = true,
	    .schema = &policy_rule_schema},
	{"examples", FILE_LIST(examples, example_count),
	    .may_be_empty = true, .schema = &example_schema},
	{0},
    },
};

static const struct schema examples_schema = {
    .what = "a policy file",
    .size = sizeof(struct policy_file),
    .rows = (const struct row[]){
	{.key = "protect", .type = FIELD_NOTHING},
	{.key = "rules", .type = FIELD_NOTHING},
	{"examples", FILE_LIST(examples, example_count), .is_required = true,
	    .schema = &example_schema},
	{0},
    },
};

static enum err
read_file(struct reading *r, const struct schema *schema, const char *file,
    struct policy_file *out)
{
	struct node *root;
	enum err err;

	memset(out, 0, sizeof(*out));
	err = yaml_load(file, r->arena, r->diagnostics, &root);
	if (root == NULL)
		return err;
	out->root = root;
	schema_read(r, schema, root, out);
	return r->err != ERR_NONE ? r->err : err;
}

enum err
policy_file_read(
    struct reading *r, const char *file, struct policy_file *out)
{
	return read_file(r, &file_schema, file, out);
}

enum err
policy_file_read_examples(
    struct reading *r, const char *file, struct policy_file *out)
{
	return read_file(r, &examples_schema, file, out);
}
