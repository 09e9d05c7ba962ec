/*
 * policy_touch.c - the relations of a statement, as rules see them.
 *
 * The rule: for a rule that denies or asks, a name is meant if any relation
 * it may lead to is; for a rule that allows, only if all of them are.
 */
#include <string.h>

#include "common/policy_touch.h"

enum { SCHEMAS_MAX = 64 /* candidate schemas looked at for one name */ };

/* A glob's parts; one without a dot is a table in any schema. */
static void
glob_split(struct text glob, struct text *schema, struct text *name)
{
	const char *dot = memchr(glob.at, '.', glob.len);

	*schema = TEXT("*");
	*name = glob;
	if (dot == NULL)
		return;
	*schema = (struct text){glob.at, (size_t)(dot - glob.at)};
	*name = (struct text){dot + 1, glob.len - schema->len - 1};
}

bool
policy_glob_matches(struct text glob, struct text schema, struct text name)
{
	struct text schema_glob, name_glob;

	glob_split(glob, &schema_glob, &name_glob);
	return text_glob(schema_glob, schema) && text_glob(name_glob, name);
}

static bool
any_glob(const struct rule *r, struct text schema, struct text name)
{
	size_t i;

	for (i = 0; i < r->to_count; i++) {
		if (policy_glob_matches(r->to[i], schema, name))
			return true;
	}
	return false;
}

/* Does a glob match this name whatever its schema may be? */
static bool
any_glob_any_schema(const struct rule *r, struct text name)
{
	struct text schema_glob, name_glob;
	size_t i;

	for (i = 0; i < r->to_count; i++) {
		glob_split(r->to[i], &schema_glob, &name_glob);
		if (text_is(schema_glob, TEXT("*")) &&
		    text_glob(name_glob, name))
			return true;
	}
	return false;
}

static bool
any_glob_by_name(const struct rule *r, struct text name)
{
	struct text schema_glob, name_glob;
	size_t i;

	for (i = 0; i < r->to_count; i++) {
		glob_split(r->to[i], &schema_glob, &name_glob);
		if (text_glob(name_glob, name))
			return true;
	}
	return false;
}

static bool
any_glob_for_all(const struct rule *r)
{
	struct text schema_glob, name_glob;
	size_t i;

	for (i = 0; i < r->to_count; i++) {
		glob_split(r->to[i], &schema_glob, &name_glob);
		if (text_is(schema_glob, TEXT("*")) &&
		    text_is(name_glob, TEXT("*")))
			return true;
	}
	return false;
}

static uint64_t
initial(struct text name)
{
	return name.len == 0 ? UINT64_MAX : BIT((unsigned char)name.at[0] & 63);
}

uint64_t
rule_initials(const struct rule *r)
{
	struct text schema_glob, name_glob;
	uint64_t set = 0;
	size_t i;

	for (i = 0; i < r->to_count; i++) {
		glob_split(r->to[i], &schema_glob, &name_glob);
		if (name_glob.len > 0 &&
		    (name_glob.at[0] == '*' || name_glob.at[0] == '?'))
			return UINT64_MAX;
		set |= initial(name_glob);
	}
	return set;
}

uint64_t
touches_initials(const struct touches *all)
{
	uint64_t set = 0;
	size_t i;

	for (i = 0; i < all->count; i++)
		set |= initial(all->at[i].use->name);
	return set;
}

size_t
policy_resolve_public(void *context, struct text schema, struct text name,
    struct text *schemas_out, size_t max)
{
	(void)context;
	(void)name;
	if (max > 0)
		schemas_out[0] = schema.len > 0 ? schema : TEXT("public");
	return 1;
}

enum err
touched_resolve(struct touches *all, struct touched *t)
{
	struct text schemas[SCHEMAS_MAX];
	size_t count;

	if (t->is_resolved)
		return ERR_NONE;
	count = all->resolve(all->context, t->use->schema, t->use->name, schemas,
	    SCHEMAS_MAX);
	t->has_more = count > SCHEMAS_MAX;
	t->schema_count = t->has_more ? SCHEMAS_MAX : count;
	t->is_ignored = t->use->is_cte && count == 0;
	t->schemas = arena_array(
	    all->arena, t->schema_count, sizeof(*t->schemas));
	if (t->schemas == NULL)
		return ERR_MEMORY;
	if (t->schema_count > 0)
		memcpy(t->schemas, schemas,
		    t->schema_count * sizeof(*schemas));
	t->is_resolved = true;
	return ERR_NONE;
}

bool
touched_may_be_meant(const struct touched *t, const struct rule *r)
{
	struct text name = t->use->name;
	size_t i;

	if (t->is_ignored)
		return false;
	if (t->has_more && any_glob_by_name(r, name))
		return true;
	if (t->schema_count == 0)
		return t->use->schema.len > 0
		    ? any_glob(r, t->use->schema, name)
		    : any_glob_by_name(r, name);
	for (i = 0; i < t->schema_count; i++) {
		if (any_glob(r, t->schemas[i], name))
			return true;
	}
	return false;
}

bool
touched_is_surely_meant(const struct touched *t, const struct rule *r)
{
	size_t i;

	if (t->schema_count == 0)
		return any_glob_for_all(r);
	if (t->has_more && !any_glob_any_schema(r, t->use->name))
		return false;
	for (i = 0; i < t->schema_count; i++) {
		if (!any_glob(r, t->schemas[i], t->use->name))
			return false;
	}
	return true;
}

unsigned
touch_of(uint64_t operations)
{
	uint64_t reading = operations_reading(), writing = operations_writing();
	unsigned touch = 0;

	if (operations & writing)
		touch |= TOUCH_WRITE;
	if (operations & reading)
		touch |= TOUCH_READ;
	if (operations & ~(reading | writing))
		touch |= TOUCH_ANY;
	return touch;
}

/* A relation no operation answers for must not slip through between them:
 * one that is read (INSERT … SELECT FROM it) is selected from, any other is
 * touched by every operation there is. */
static enum err
adopt_orphan(struct touches *all, struct touched *t)
{
	enum err err;

	if (t->touch & touch_of(all->operations))
		return ERR_NONE;
	err = touched_resolve(all, t);
	if (err != ERR_NONE || t->is_ignored)
		return err;
	if (t->touch == TOUCH_READ)
		all->operations |= BIT(OP_SELECT);
	else
		t->touch = TOUCH_ANY;
	return ERR_NONE;
}

enum err
touches_gather(struct touches *all, const struct statement *s)
{
	enum err err = ERR_NONE;
	size_t i;

	all->operations = s->operations != 0 ? s->operations : BIT(OP_UNKNOWN);
	all->at = arena_array(all->arena, s->relation_count, sizeof(*all->at));
	if (all->at == NULL)
		return ERR_MEMORY;
	all->count = s->relation_count;
	for (i = 0; i < s->relation_count && err == ERR_NONE; i++) {
		struct touched *t = &all->at[i];

		t->use = &s->relations[i];
		t->touch = (t->use->is_read ? TOUCH_READ : 0u) |
		    (t->use->is_written ? TOUCH_WRITE : 0u);
		if (t->touch == 0)
			t->touch = TOUCH_ANY;
		err = adopt_orphan(all, t);
	}
	return err;
}
