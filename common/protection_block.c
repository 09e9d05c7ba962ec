/*
 * protection_block.c - code that a statement brings along: the block of a DO,
 * what CREATE and ALTER make.
 *
 * The rule: it is read as the bodies of functions in the catalogue are, and
 * what cannot be read may do anything.
 */
#include "common/protection_inner.h"

struct brought {
	struct protection *p;
	const struct classifier *classifier;
	struct arena *arena;
	struct code code;   /* what it mentions, as if it were in the catalogue */
	struct touch touch; /* what it reads, also through what it calls */
	struct text *names; /* mentioned, words among them */
	size_t name_count, name_room, source_room;
	bool calls_opaque;
	bool makes_things, makes_code;
};

/* --- what the reader tells ------------------------------------------------ */

static bool
is_relation(void *context, struct text name)
{
	struct brought *b = context;
	uint32_t oids[PROTECTION_SAME_NAME_MAX];
	size_t count = 0;
	enum err e = protection_named(
	    b->p, name, oids, PROTECTION_SAME_NAME_MAX, &count);

	return e != ERR_NONE || count > 0;
}

/* Words after CREATE or ALTER, and names of relations, to find out later. */
static enum err
take_name(void *context, struct text name)
{
	static const struct text making[] = {{"function", 8}, {"procedure", 9},
	    {"routine", 7}, {"operator", 8}, {"cast", 4}, {"aggregate", 9},
	    {"rule", 4}, {"trigger", 7}, {"policy", 6}, {"view", 4},
	    {"domain", 6}, {"transform", 9}, {"rename", 6}, {"extension", 9}};
	struct brought *b = context;
	size_t more = b->name_room == 0 ? 64 : b->name_room * 2, i;
	struct text *names = b->names;

	for (i = 0; i < sizeof(making) / sizeof(*making); i++)
		b->makes_code |= text_is(name, making[i]);
	b->makes_things |=
	    text_is(name, TEXT("create")) || text_is(name, TEXT("alter"));
	if (b->name_count == b->name_room) {
		names = arena_array(b->arena, more, sizeof(*names));
		if (names == NULL)
			return ERR_MEMORY;
		if (b->name_count > 0)
			memcpy(names, b->names,
			    b->name_count * sizeof(*names));
		b->names = names;
		b->name_room = more;
	}
	names[b->name_count++] = name;
	return ERR_NONE;
}

static enum err
take_call(void *context, const struct code_call *call)
{
	struct brought *b = context;
	const struct code *code;
	enum err e = protection_code_named(b->p, call->kind, call->name, &code);

	if (e == ERR_NONE)
		return protection_code_reads(b->p, code, &b->touch);
	if (call->kind == CODE_FUNCTION && !call->may_be_column &&
	    classifier_lists(b->classifier, call->name) == FUNCTION_OPAQUE) {
		b->calls_opaque = true;
		b->touch.is_code_open |=
		    classifier_reveals(b->classifier, call->name) ||
		    protection_function_exposes(b->p, call->name);
	}
	return e == ERR_NOT_FOUND ? ERR_NONE : e;
}

/* --- what it mentions ----------------------------------------------------- */

static bool
mentions(const struct brought *b, struct text name)
{
	size_t i;

	for (i = 0; i < b->name_count; i++) {
		if (text_is(b->names[i], name))
			return true;
	}
	return false;
}

static enum err
read_relation(struct brought *b, uint32_t oid, bool takes_whole)
{
	struct column_source source = {.relation = oid};
	const struct code one = {.sources = &source, .source_count = 1};
	struct known_relation *r;
	enum err e = protection_known(b->p, oid, &r);
	size_t i;

	if (e == ERR_NONE && takes_whole)
		return protection_code_reads(b->p, &one, &b->touch);
	for (i = 0; e == ERR_NONE && i < r->relation.column_count; i++) {
		if (r->relation.columns[i].name.len == 0 ||
		    !mentions(b, r->relation.columns[i].name))
			continue;
		source.number = (uint16_t)(i + 1);
		e = protection_code_reads(b->p, &one, &b->touch);
	}
	return e;
}

static enum err
read_relations(struct brought *b, bool takes_whole)
{
	uint32_t oids[PROTECTION_SAME_NAME_MAX];
	enum err e = ERR_NONE;
	size_t count, i, k;

	for (i = 0; i < b->name_count && e == ERR_NONE; i++) {
		e = protection_named(b->p, b->names[i], oids,
		    PROTECTION_SAME_NAME_MAX, &count);
		for (k = 0; k < count && e == ERR_NONE; k++)
			e = read_relation(b, oids[k], takes_whole);
	}
	return e;
}

/* --- the statement -------------------------------------------------------- */

static enum err
read_statement(struct brought *b, const struct statement *s)
{
	const struct code_listener listener = {.context = b,
	    .is_relation = is_relation,
	    .take_name = take_name,
	    .take_call = take_call};
	struct code_facts facts;
	enum err e;

	b->classifier = b->p->policy->classifiers[DIALECT_POSTGRES];
	if (b->classifier == NULL || b->p->catalog == NULL)
		return ERR_NOT_FOUND;
	e = statement_read_code(s, b->arena, &listener, &facts);
	if (e == ERR_NONE)
		e = read_relations(b, facts.takes_whole_relations);
	b->touch.is_code_open |= facts.is_opaque;
	b->touch.is_code_storing |= b->touch.is_code_protected &&
				    (facts.stores || b->calls_opaque);
	return e;
}

static enum block
block_of(const struct brought *b)
{
	if (b->touch.is_code_open)
		return BLOCK_OPEN;
	if (b->touch.is_code_storing)
		return BLOCK_STORES;
	if (!b->touch.is_code_protected)
		return BLOCK_FREE;
	return b->touch.predicates == PREDICATES_ALLOW ? BLOCK_FREE
						       : BLOCK_READS;
}

/* --- what CREATE and ALTER make ------------------------------------------- */

static bool
has_any(const struct statement *s, size_t i, const char *const *words)
{
	for (; i < s->token_count; i++) {
		if (statement_says_any(s, i, words))
			return true;
	}
	return false;
}

/* Does it make or change something by which no statement that could be
 * understood before means anything else now? */
static bool
is_of_data(const struct statement *s)
{
	static const char *const kinds[] = {"temp", "temporary", "local",
	    "global", "unlogged", "unique", NULL};
	static const char *const data[] = {"table", "index", "sequence",
	    "schema", "database", "role", "user", "group", "tablespace",
	    "statistics", "publication", "subscription", "system", "default",
	    NULL};
	static const char *const others[] = {"create", "rename", "inherit",
	    "attach", NULL};
	static const char *const make_enum[] = {"enum", NULL};
	bool is_alter = statement_says(s, 0, "alter");
	size_t i = 1;

	while (statement_says_any(s, i, kinds))
		i++;
	if (statement_says(s, 1, "type") && !is_alter)
		return has_any(s, 2, make_enum);
	return statement_says_any(s, i, data) && !has_any(s, i + 1, others) &&
	       !(is_alter && statement_mentions(s, TEXT("schema")));
}

static bool
is_view(const struct statement *s)
{
	static const char *const kinds[] = {"or", "replace", "temp",
	    "temporary", "local", "global", "recursive", "materialized", NULL};
	size_t i = 1;

	while (statement_says_any(s, i, kinds))
		i++;
	return statement_says(s, 0, "create") && statement_says(s, i, "view");
}

static enum makes
makes_of(const struct brought *b, const struct statement *s)
{
	bool is_block = (s->operations & BIT(OP_DO)) != 0;
	bool may_read = b->touch.is_code_open || b->touch.is_code_protected;

	if (is_block && !b->makes_things)
		return MAKES_NOTHING;
	if (is_block) /* what is in strings within it was not read */
		return b->makes_code ? MAKES_READER : MAKES_MEANING;
	/* of relations and columns that nobody knows all is suspect then; one
	 * that would hold protected values is not made at all */
	if (is_view(s))
		return may_read ? MAKES_MEANING : MAKES_NOTHING;
	may_read &= !(statement_says(s, 0, "alter") && statement_says(s, 1, "table"));
	return may_read ? MAKES_READER : MAKES_MEANING;
}

void
protection_brought(struct protection *p, const struct statement *s,
    struct touch *out)
{
	const uint64_t making = BIT(OP_CREATE) | BIT(OP_ALTER);
	struct brought b = {.p = p};
	bool makes;
	enum err e = ERR_MEMORY;

	makes = (s->operations & making) != 0 && !is_of_data(s) &&
		(statement_says(s, 0, "create") || statement_says(s, 0, "alter"));
	if (p->is_empty || !(makes || (s->operations & BIT(OP_DO)) != 0))
		return;
	b.arena = arena_new(PROTECTION_FLOW_MAX);
	if (b.arena != NULL)
		e = read_statement(&b, s);
	if (e != ERR_NONE) /* whatever it is, it may do anything */
		b.touch.is_code_open = b.makes_things = b.makes_code = true;
	out->makes = makes_of(&b, s);
	if ((s->operations & BIT(OP_DO)) != 0)
		out->block = block_of(&b);
	arena_free(b.arena);
}
