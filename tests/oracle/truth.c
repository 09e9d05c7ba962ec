/*
 * truth.c - walking a parse tree.
 *
 * The one rule: whatever the tables here do not name is a read: a relation
 * somewhere in the tree counts, whatever is around it.
 */
#include <strings.h>

#include "truth.h"
#include "truth_tables.h"

static const char *
string_of(const json_t *node, const char *member)
{
	return json_string_value(json_object_get(node, member));
}

static bool
word_is(const json_t *node, const char *member, const char *word)
{
	const char *value = string_of(node, member);

	return value != NULL && strcmp(value, word) == 0;
}

static bool
is_set(const json_t *node, const char *member)
{
	return json_is_true(json_object_get(node, member));
}

static void
add_operations(struct truth *t, uint64_t operations)
{
	if (t->is_planned)
		operations &= operations_reading() | BIT(OP_EXECUTE);
	t->operations |= operations;
}

static void
add_name(const char **names, size_t *count, const char *name)
{
	if (name != NULL && *count < TRUTH_NAMES_MAX)
		names[(*count)++] = name;
}

static void
add_relation(struct truth *t, const char *schema, const char *name,
    bool is_written)
{
	struct truth_relation *r = &t->relations[t->relation_count];

	if (t->relation_count == TRUTH_NAMES_MAX || name == NULL)
		return;
	if (t->is_planned)
		is_written = false;
	*r = (struct truth_relation){schema, name, !is_written, is_written};
	t->relation_count++;
}

static void
add_range(struct truth *t, const json_t *range, bool is_written)
{
	add_relation(t, string_of(range, "schemaname"),
	    string_of(range, "relname"), is_written);
	add_name(t->aliases, &t->alias_count,
	    string_of(json_object_get(range, "alias"), "aliasname"));
	if (word_is(range, "relpersistence", "t"))
		t->traits |= BIT(TRAIT_TEMPORARY);
}

/* The name at `i` of a list of strings; NULL if there is none. */
static const char *
name_at(const json_t *names, size_t i)
{
	return string_of(json_object_get(json_array_get(names, i), "String"),
	    "sval");
}

/* `skip`: so many names at the end are no part of the relation's. */
static void
add_listed(struct truth *t, const json_t *object, size_t skip)
{
	const json_t *items =
	    json_object_get(json_object_get(object, "List"), "items");
	size_t count = json_array_size(items);

	if (count > skip)
		add_relation(t,
		    count > skip + 1 ? name_at(items, count - skip - 2) : NULL,
		    name_at(items, count - skip - 1), true);
}

/* DROP, COMMENT, SECURITY LABEL name their objects in lists of strings. */
static void
add_objects(struct truth *t, const char *kind, const json_t *objects)
{
	const struct listed *l = tables_listed(kind);
	json_t *one;
	size_t i;

	if (l == NULL)
		return;
	if (!json_is_array(objects)) {
		add_listed(t, objects, l->skip);
		return;
	}
	json_array_foreach((json_t *)(uintptr_t)objects, i, one)
	    add_listed(t, one, l->skip);
}

/* The last word of several decides; none given means yes. */
static bool
option_is_on(const json_t *list, const char *name)
{
	bool on = false;
	size_t i;
	json_t *item;

	json_array_foreach((json_t *)(uintptr_t)list, i, item)
	{
		const json_t *option = json_object_get(item, "DefElem");
		const json_t *value = json_object_get(option, "arg");
		const char *word =
		    string_of(json_object_get(value, "String"), "sval");

		if (!word_is(option, "defname", name))
			continue;
		on = value == NULL ||
		    (word != NULL && strcasecmp(word, "off") != 0 &&
			strcasecmp(word, "false") != 0) ||
		    json_object_get(
			json_object_get(value, "Integer"), "ival") != NULL;
	}
	return on;
}

static void
enter_copy(struct truth *t, const json_t *n)
{
	bool from = is_set(n, "is_from");

	add_operations(t, from ? BIT(OP_COPY_IN) : BIT(OP_COPY_OUT));
	if (is_set(n, "is_program"))
		add_operations(t, BIT(OP_COPY_PROGRAM));
	else if (json_object_get(n, "filename") != NULL)
		add_operations(t, BIT(OP_COPY_FILE));
	if (json_object_get(n, "relation") == NULL)
		return;
	add_range(t, json_object_get(n, "relation"), from);
	if (!from && json_object_get(n, "attlist") == NULL)
		t->traits |= BIT(TRAIT_STAR);
}

static void
enter_set(struct truth *t, const json_t *n)
{
	const char *name = string_of(n, "name");
	bool reset = word_is(n, "kind", "VAR_RESET") ||
	    word_is(n, "kind", "VAR_RESET_ALL");

	if (word_is(n, "kind", "VAR_SET_MULTI"))
		add_operations(t, BIT(OP_SET_TRANSACTION));
	else if (reset)
		add_operations(t, BIT(OP_RESET));
	if (name != NULL && (strcasecmp(name, "role") == 0 ||
		strcasecmp(name, "session_authorization") == 0))
		add_operations(t, BIT(OP_SET_ROLE));
	else if (!reset && !word_is(n, "kind", "VAR_SET_MULTI"))
		add_operations(t, BIT(OP_SET));
}

static bool
is_system(const char *schema, const char *function)
{
	return strcmp(schema, "pg_catalog") == 0 ||
	    (strcmp(schema, "information_schema") == 0 &&
		strncmp(function, "_pg_", 4) == 0);
}

static void
enter_function(struct truth *t, const json_t *n)
{
	const json_t *names = json_object_get(n, "funcname");
	size_t count = json_array_size(names);
	const char *name = count == 0 ? NULL : name_at(names, count - 1);
	const struct word *word;
	unsigned flags;

	/* AT TIME ZONE, EXTRACT and the like are no calls to look up */
	if (name == NULL || word_is(n, "funcformat", "COERCE_SQL_SYNTAX"))
		return;
	word = words_find(t->words, text_of(name), text_hash(text_of(name)));
	flags = word == NULL ? 0 : word->flags;
	if (count > 1 && (count > 2 || !is_system(name_at(names, 0), name)))
		flags &= WORD_ESCAPING;
	if (flags & WORD_ESCAPING)
		t->traits |= BIT(TRAIT_ESCAPING_FUNCTION);
	if (flags & WORD_OPAQUE)
		t->traits |= BIT(TRAIT_OPAQUE_FUNCTION);
	else if (!(flags & WORD_CLEAN))
		t->traits |= BIT(TRAIT_UNKNOWN_FUNCTION);
}

static void
enter_column(struct truth *t, const json_t *n)
{
	const json_t *fields = json_object_get(n, "fields");

	if (json_array_size(fields) == 1)
		add_name(t->columns, &t->column_count, name_at(fields, 0));
}

static void
enter_query(struct truth *t, const json_t *n)
{
	/* INSERT … VALUES is told apart by whoever comes here */
	add_operations(t, BIT(OP_SELECT));
	if (json_object_get(n, "lockingClause") != NULL)
		t->traits |= BIT(TRAIT_FOR_UPDATE);
}

static void
enter_merge(struct truth *t, const json_t *n)
{
	static const struct {
		const char *command;
		enum operation operation;
	} commands[] = {
	    {"CMD_INSERT", OP_INSERT},
	    {"CMD_UPDATE", OP_UPDATE},
	    {"CMD_DELETE", OP_DELETE},
	};
	size_t i;

	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (word_is(n, "commandType", commands[i].command))
			add_operations(t, BIT(commands[i].operation));
	}
}

static void
enter_conflict(struct truth *t, const json_t *n)
{
	if (word_is(n, "action", "ONCONFLICT_UPDATE"))
		add_operations(t, BIT(OP_UPDATE));
}

static void
enter_transaction(struct truth *t, const json_t *n)
{
	add_operations(t, tables_transaction(string_of(n, "kind")));
}

static void
enter_grant(struct truth *t, const json_t *n)
{
	add_operations(
	    t, is_set(n, "is_grant") ? BIT(OP_GRANT) : BIT(OP_REVOKE));
}

static void
enter_fetch(struct truth *t, const json_t *n)
{
	add_operations(t, is_set(n, "ismove") ? BIT(OP_MOVE) : BIT(OP_FETCH));
}

static void
enter_vacuum(struct truth *t, const json_t *n)
{
	bool vacuums = is_set(n, "is_vacuumcmd");

	add_operations(t, vacuums ? BIT(OP_VACUUM) : BIT(OP_ANALYZE));
	if (vacuums && option_is_on(json_object_get(n, "options"), "analyze"))
		add_operations(t, BIT(OP_ANALYZE));
}

static void
enter_rename(struct truth *t, const json_t *n)
{
	bool role = word_is(n, "renameType", "OBJECT_ROLE");

	add_operations(t, role ? BIT(OP_ROLE) : BIT(OP_ALTER));
}

static void
enter_drop(struct truth *t, const json_t *n)
{
	add_objects(
	    t, string_of(n, "removeType"), json_object_get(n, "objects"));
}

static void
enter_described(struct truth *t, const json_t *n)
{
	add_objects(t, string_of(n, "objtype"), json_object_get(n, "object"));
}

static void
enter_star(struct truth *t, const json_t *n)
{
	(void)n;
	t->traits |= BIT(TRAIT_STAR);
}

static void
enter_changing(struct truth *t, const json_t *n)
{
	t->changes = true;
	if (json_object_get(n, "whereClause") == NULL)
		t->lacks_where = true;
}

static const struct {
	const char *type;
	void (*enter)(struct truth *t, const json_t *n);
} visitors[] = {
    {"A_Star", enter_star},
    {"ColumnRef", enter_column},
    {"CommentStmt", enter_described},
    {"CopyStmt", enter_copy},
    {"DeleteStmt", enter_changing},
    {"DropStmt", enter_drop},
    {"FetchStmt", enter_fetch},
    {"FuncCall", enter_function},
    {"GrantRoleStmt", enter_grant},
    {"GrantStmt", enter_grant},
    {"MergeWhenClause", enter_merge},
    {"RenameStmt", enter_rename},
    {"SecLabelStmt", enter_described},
    {"SelectStmt", enter_query},
    {"TransactionStmt", enter_transaction},
    {"UpdateStmt", enter_changing},
    {"VacuumStmt", enter_vacuum},
    {"VariableSetStmt", enter_set},
    {"onConflictClause", enter_conflict},
};

static void
enter(struct truth *t, const char *type, const json_t *n)
{
	size_t i;

	add_operations(t, tables_operations(type));
	for (i = 0; i < sizeof(visitors) / sizeof(visitors[0]); i++) {
		if (strcmp(type, visitors[i].type) == 0)
			visitors[i].enter(t, n);
	}
	if (json_object_get(n, "returningList") != NULL)
		t->traits |= BIT(TRAIT_RETURNING);
	if (json_object_get(n, "intoClause") != NULL)
		add_operations(t, BIT(OP_CREATE));
	t->has_body |= json_object_get(n, "sql_body") != NULL ||
	    strcmp(type, "RuleStmt") == 0 ||
	    strcmp(type, "CreateSchemaStmt") == 0;
	if (json_object_get(n, "whereClause") != NULL)
		t->traits |= BIT(TRAIT_WHERE);
	if (word_is(n, "behavior", "DROP_CASCADE"))
		t->traits |= BIT(TRAIT_CASCADE);
	/* a function's rows are no relation's */
	if (strcmp(type, "RangeSubselect") == 0 ||
	    strcmp(type, "JoinExpr") == 0)
		add_name(t->aliases, &t->alias_count,
		    string_of(json_object_get(n, "alias"), "aliasname"));
}

static void walk(struct truth *t, const char *type, const json_t *node);

/* `{"SelectStmt": {…}}`, a node that says its type, or just `{…}`. */
static const char *
type_said(const json_t *value)
{
	const char *key;

	if (json_object_size(value) != 1)
		return NULL;
	key = json_object_iter_key(json_object_iter((json_t *)(uintptr_t)value));
	return key[0] >= 'A' && key[0] <= 'Z' ? key : NULL;
}

/* INSERT … VALUES: the list is no SELECT of its own. */
static bool
is_inserted_list(const char *type, const char *member, const json_t *node)
{
	return strcmp(type, "InsertStmt") == 0 &&
	    strcmp(member, "selectStmt") == 0 &&
	    json_object_get(node, "valuesLists") != NULL &&
	    json_object_get(node, "withClause") == NULL;
}

static void
walk_value(struct truth *t, const char *type, const char *member,
    const json_t *value)
{
	const char *said;
	json_t *item;
	size_t i;

	if (json_is_array(value)) {
		json_array_foreach((json_t *)(uintptr_t)value, i, item)
		    walk_value(t, type, member, item);
		return;
	}
	if (!json_is_object(value))
		return;
	said = type_said(value);
	if (said != NULL)
		value = json_object_get(value, said);
	if (json_object_get(value, "relname") != NULL) {
		add_range(t, value, tables_writes(type, member));
		return;
	}
	if (is_inserted_list(type, member, value))
		said = "list";
	walk(t, said != NULL ? said : tables_type(member), value);
}

static void
walk(struct truth *t, const char *type, const json_t *node)
{
	bool was_planned = t->is_planned;
	const char *member;
	json_t *value;

	enter(t, type, node);
	if (strcmp(type, "ExplainStmt") == 0)
		t->is_planned |= !option_is_on(
		    json_object_get(node, "options"), "analyze");
	json_object_foreach((json_t *)(uintptr_t)node, member, value)
	{
		/* names of constraints, of aliases, of a foreign server's
		 * relations; COPY's relation is seen to */
		if (!tables_skips(type, member))
			walk_value(t, type, member, value);
	}
	t->is_planned = was_planned;
}

/* Down to the query that a statement's own LIMIT would stand in. */
static const json_t *
outermost_query(const json_t *node)
{
	static const char *const members[] = {"query", "selectStmt"};
	const char *said = type_said(node);
	size_t i;

	while (said != NULL) {
		const json_t *inner = NULL;

		node = json_object_get(node, said);
		for (i = 0; i < 2 && inner == NULL; i++)
			inner = json_object_get(node, members[i]);
		if (inner == NULL)
			return node;
		node = inner;
		said = type_said(node);
	}
	return NULL;
}

static bool
has_limit(const json_t *statement)
{
	const json_t *query = outermost_query(statement);
	const json_t *limit = json_object_get(query, "limitCount");

	return limit != NULL &&
	    !is_set(json_object_get(limit, "A_Const"), "isnull");
}

/* A relation's name or alias as a value. */
static bool
has_whole_row(const struct truth *t)
{
	size_t i, k;

	for (i = 0; i < t->column_count; i++) {
		for (k = 0; k < t->alias_count; k++) {
			if (strcmp(t->columns[i], t->aliases[k]) == 0)
				return true;
		}
		for (k = 0; k < t->relation_count; k++) {
			if (strcmp(t->columns[i], t->relations[k].name) == 0)
				return true;
		}
	}
	return false;
}

void
truth_of(struct truth *t, const json_t *statement, const struct words *words)
{
	static const uint64_t rows = BIT(OP_SELECT) | BIT(OP_INSERT) |
	    BIT(OP_UPDATE) | BIT(OP_DELETE) | BIT(OP_MERGE);
	const json_t *node = json_object_get(statement, "stmt");

	t->operations = t->traits = 0;
	t->changes = t->lacks_where = t->is_planned = t->has_body = false;
	t->relation_count = t->column_count = t->alias_count = 0;
	t->words = words;
	walk_value(t, "", "stmt", node);
	if (t->lacks_where)
		t->traits &= ~BIT(TRAIT_WHERE);
	/* INSERT … VALUES … DO UPDATE: the values say which rows */
	if (!t->changes && (t->operations & (rows | BIT(OP_COPY_IN))) ==
		(BIT(OP_INSERT) | BIT(OP_UPDATE)))
		t->traits |= BIT(TRAIT_WHERE);
	/* INSERT … VALUES … ON CONFLICT DO UPDATE: the values name the rows */
	else if ((t->operations & rows) == (BIT(OP_INSERT) | BIT(OP_UPDATE)))
		t->traits |= BIT(TRAIT_WHERE);
	if (has_limit(node))
		t->traits |= BIT(TRAIT_LIMIT);
	if (t->operations & rows && has_whole_row(t))
		t->traits |= BIT(TRAIT_WHOLE_ROW);
}
