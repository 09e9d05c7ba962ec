/*
 * compare.c - see compare.h.
 */
#include "compare.h"
#include "report.h"

static void
compare_operations(
    const struct truth *t, const struct statement *s, struct comparison *c)
{
	uint64_t less = t->operations & ~s->operations;
	uint64_t more =
	    s->operations & ~t->operations & ~BIT(OP_UNKNOWN);
	size_t i;

	c->is_less |= less != 0;
	c->is_needless |= more != 0;
	c->is_unknown |= (s->operations & BIT(OP_UNKNOWN)) != 0;
	if (c->is_unknown)
		report_find(true, "UNKNOWN", "");
	for (i = 0; i < OP_MAX; i++) {
		const char *name = operation_name((enum operation)i);

		if (less & BIT(i))
			report_find(true, "LESS operation", name);
		if (more & BIT(i))
			report_find(false, "more operation", name);
	}
}

static bool
is_schema(struct text said, const char *schema)
{
	return schema == NULL ? said.len == 0 : text_is(said, text_of(schema));
}

static const struct relation_use *
said_relation(const struct statement *s, const struct truth_relation *r)
{
	size_t i;

	for (i = 0; i < s->relation_count; i++) {
		if (text_is(s->relations[i].name, text_of(r->name)) &&
		    is_schema(s->relations[i].schema, r->schema))
			return &s->relations[i];
	}
	return NULL;
}

static void
miss_relations(
    const struct truth *t, const struct statement *s, struct comparison *c)
{
	size_t i;

	for (i = 0; i < t->relation_count; i++) {
		const struct truth_relation *r = &t->relations[i];
		const struct relation_use *use = said_relation(s, r);

		if (use == NULL)
			report_find(true, "LESS relation", "named");
		else if (r->is_written && !use->is_written)
			report_find(true, "LESS relation", "written");
		else if (r->is_read && !use->is_read)
			report_find(true, "LESS relation", "read");
		else
			continue;
		c->is_less = true;
		return;
	}
}

/* As the tree has it: read, written, or neither. */
static struct truth_relation
true_use(const struct truth *t, const struct relation_use *use)
{
	struct truth_relation all = {0};
	size_t i;

	for (i = 0; i < t->relation_count; i++) {
		const struct truth_relation *r = &t->relations[i];

		if (!text_is(use->name, text_of(r->name)) ||
		    !is_schema(use->schema, r->schema))
			continue;
		all.name = r->name;
		all.is_read |= r->is_read;
		all.is_written |= r->is_written;
	}
	return all;
}

static void
exceed_relations(
    const struct truth *t, const struct statement *s, struct comparison *c)
{
	size_t i;

	for (i = 0; i < s->relation_count; i++) {
		const struct relation_use *use = &s->relations[i];
		struct truth_relation r = true_use(t, use);

		if (use->is_written && !r.is_written) {
			report_find(false, "more relation", "written");
			c->is_needless = true;
		} else if (r.name == NULL) {
			report_find(false, "more relation", "named");
		}
	}
}

/* The traits that excuse: to be said to have one is to be less strict. */
static const uint64_t excuses = BIT(TRAIT_WHERE) | BIT(TRAIT_LIMIT);

/* What the parse tree knows of. */
static const uint64_t known = BIT(TRAIT_WHERE) | BIT(TRAIT_LIMIT) |
    BIT(TRAIT_STAR) | BIT(TRAIT_WHOLE_ROW) | BIT(TRAIT_MULTI) |
    BIT(TRAIT_RETURNING) | BIT(TRAIT_OPAQUE_FUNCTION) |
    BIT(TRAIT_UNKNOWN_FUNCTION) | BIT(TRAIT_ESCAPING_FUNCTION) |
    BIT(TRAIT_FOR_UPDATE) | BIT(TRAIT_CASCADE) | BIT(TRAIT_TEMPORARY);

static const uint64_t function_traits = BIT(TRAIT_OPAQUE_FUNCTION) |
    BIT(TRAIT_UNKNOWN_FUNCTION) | BIT(TRAIT_ESCAPING_FUNCTION);

static void
compare_traits(const struct truth *t, const struct statement *s,
    bool is_alone, struct comparison *c)
{
	uint64_t wanted = t->traits | (is_alone ? 0 : BIT(TRAIT_MULTI));
	uint64_t differ = (wanted ^ s->traits) & known;
	size_t i;

	if (t->has_body) /* of limits of the statements in it nobody asks */
		differ &= ~BIT(TRAIT_LIMIT);

	for (i = 0; i < TRAIT_MAX; i++) {
		const char *name = trait_name((enum trait)i);
		bool is_said = (s->traits & BIT(i)) != 0;

		if (!(differ & BIT(i)))
			continue;
		if (is_said == ((excuses & BIT(i)) != 0)) {
			report_find(true, "LESS trait", name);
			c->is_less = true;
			continue;
		}
		report_find(false, is_said ? "more trait" : "lost trait", name);
		c->is_needless |= (BIT(i) & function_traits) != 0 ||
		    (i == TRAIT_WHERE && t->changes);
	}
}

struct comparison
compare(const struct truth *t, const struct statement *s, bool is_alone)
{
	struct comparison c = {0};

	compare_operations(t, s, &c);
	miss_relations(t, s, &c);
	exceed_relations(t, s, &c);
	compare_traits(t, s, is_alone, &c);
	return c;
}
