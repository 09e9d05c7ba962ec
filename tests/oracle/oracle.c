/*
 * oracle.c - the classifier against PostgreSQL's own parser.
 *
 *	oracle POLICIES CORPUS.nul.gz [samples]
 *
 * For each statement text that libpg_query parses, what the parse tree says
 * the text does must be among what the classifier says it does:
 *  - operations, of nested statements, too;
 *  - relations, by name (those of WITH queries apart);
 *  - no `where` where an UPDATE or DELETE has none;
 *  - `star` where a target list has one, `returning`;
 *  - as many statements in the text.
 * Whatever is missing is "less strict": a bug. What there is more of is
 * counted too, as the price of strictness. Exit status 1: something is less
 * strict, unknown or refused.
 */
#include <jansson.h>
#include <pg_query.h>
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

#include "common/classify.h"

enum { FINDINGS_MAX = 64, NAMES_MAX = 512, CORPUS_MAX = 64 << 20 };

/* What the parse tree says. */
struct truth {
	uint64_t operations;
	bool lacks_where, star, returning;
	const char *relations[NAMES_MAX];
	size_t relation_count;
	const char *ctes[NAMES_MAX];
	size_t cte_count;
	size_t statements;
	bool plans_only; /* inside EXPLAIN without ANALYZE */
};

struct finding {
	char what[48];
	size_t count, shown;
};

static struct finding findings[FINDINGS_MAX];
static size_t finding_count, samples = 3;
static const char *current;

static const struct {
	const char *node;
	enum operation operation;
} nodes[] = {
    {"SelectStmt", OP_SELECT},
    {"InsertStmt", OP_INSERT},
    {"UpdateStmt", OP_UPDATE},
    {"DeleteStmt", OP_DELETE},
    {"MergeStmt", OP_MERGE},
    {"TruncateStmt", OP_TRUNCATE},
    {"CallStmt", OP_CALL},
    {"DoStmt", OP_DO},
    {"LockStmt", OP_LOCK},
    {"ExplainStmt", OP_EXPLAIN},
    {"VariableShowStmt", OP_SHOW},
    {"DeclareCursorStmt", OP_DECLARE},
    {"ClosePortalStmt", OP_CLOSE},
    {"PrepareStmt", OP_PREPARE},
    {"ExecuteStmt", OP_EXECUTE},
    {"DeallocateStmt", OP_DEALLOCATE},
    {"ListenStmt", OP_LISTEN},
    {"UnlistenStmt", OP_UNLISTEN},
    {"NotifyStmt", OP_NOTIFY},
    {"DiscardStmt", OP_DISCARD},
    {"CheckPointStmt", OP_CHECKPOINT},
    {"LoadStmt", OP_LOAD},
    {"AlterSystemStmt", OP_ALTER_SYSTEM},
    {"CommentStmt", OP_COMMENT},
    {"SecLabelStmt", OP_SECURITY_LABEL},
    {"ImportForeignSchemaStmt", OP_IMPORT_SCHEMA},
    {"RefreshMatViewStmt", OP_REFRESH},
    {"ReindexStmt", OP_REINDEX},
    {"ClusterStmt", OP_CLUSTER},
    {"ReassignOwnedStmt", OP_REASSIGN},
    {"DropOwnedStmt", OP_DROP},
    {"CreateRoleStmt", OP_ROLE},
    {"AlterRoleStmt", OP_ROLE},
    {"AlterRoleSetStmt", OP_ROLE},
    {"DropRoleStmt", OP_ROLE},
    {"ConstraintsSetStmt", OP_SET_TRANSACTION},
    {"CreateTableAsStmt", OP_CREATE},
    {"ViewStmt", OP_CREATE},
    {"IndexStmt", OP_CREATE},
    {"RuleStmt", OP_CREATE},
    {"DefineStmt", OP_CREATE},
    {"CompositeTypeStmt", OP_CREATE},
    {"DropStmt", OP_DROP},
    {"DropdbStmt", OP_DROP},
    {"DropTableSpaceStmt", OP_DROP},
    {"DropUserMappingStmt", OP_DROP},
    {"DropSubscriptionStmt", OP_DROP},
    {"RenameStmt", OP_ALTER},
};

static bool
node_is(const char *key, const char *prefix)
{
	size_t len = strlen(key);

	return strncmp(key, prefix, strlen(prefix)) == 0 && len > 4 &&
	    strcmp(key + len - 4, "Stmt") == 0;
}

static uint64_t
operation_of(const char *key)
{
	size_t i;

	for (i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++) {
		if (strcmp(key, nodes[i].node) == 0)
			return BIT(nodes[i].operation);
	}
	if (node_is(key, "Create"))
		return BIT(OP_CREATE);
	if (node_is(key, "Alter"))
		return BIT(OP_ALTER);
	return 0;
}

static bool
word_is(const json_t *node, const char *member, const char *word)
{
	const char *value = json_string_value(json_object_get(node, member));

	return value != NULL && strcmp(value, word) == 0;
}

static void
add_name(const char **names, size_t *count, const char *name)
{
	if (name != NULL && *count < NAMES_MAX)
		names[(*count)++] = name;
}

static void walk(struct truth *t, const json_t *node);

static bool
is_values(const json_t *select)
{
	return json_object_get(select, "valuesLists") != NULL &&
	    json_object_get(select, "withClause") == NULL;
}

static bool
has_option(const json_t *list, const char *name)
{
	size_t i;
	const json_t *item;

	json_array_foreach((json_t *)(uintptr_t)list, i, item)
	{
		if (word_is(json_object_get(item, "DefElem"), "defname", name))
			return true;
	}
	return false;
}

static uint64_t
copy_operations(const json_t *n)
{
	bool from = json_is_true(json_object_get(n, "is_from"));
	uint64_t ops = from ? BIT(OP_COPY_IN) : BIT(OP_COPY_OUT);

	if (json_is_true(json_object_get(n, "is_program")))
		ops |= BIT(OP_COPY_PROGRAM);
	else if (json_object_get(n, "filename") != NULL)
		ops |= BIT(OP_COPY_FILE);
	return ops;
}

static uint64_t
set_operations(const json_t *n)
{
	const char *name = json_string_value(json_object_get(n, "name"));
	bool reset = word_is(n, "kind", "VAR_RESET") ||
	    word_is(n, "kind", "VAR_RESET_ALL");

	if (word_is(n, "kind", "VAR_SET_MULTI"))
		return BIT(OP_SET_TRANSACTION);
	if (name != NULL &&
	    (strcasecmp(name, "role") == 0 ||
		strcasecmp(name, "session_authorization") == 0))
		return BIT(OP_SET_ROLE);
	return reset ? BIT(OP_RESET) : BIT(OP_SET);
}

static uint64_t
transaction_operations(const json_t *n)
{
	static const struct {
		const char *kind;
		enum operation operation;
	} kinds[] = {
	    {"TRANS_STMT_BEGIN", OP_BEGIN},
	    {"TRANS_STMT_START", OP_BEGIN},
	    {"TRANS_STMT_COMMIT", OP_COMMIT},
	    {"TRANS_STMT_ROLLBACK", OP_ROLLBACK},
	    {"TRANS_STMT_ROLLBACK_TO", OP_ROLLBACK},
	    {"TRANS_STMT_SAVEPOINT", OP_SAVEPOINT},
	    {"TRANS_STMT_RELEASE", OP_RELEASE},
	};
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (word_is(n, "kind", kinds[i].kind))
			return BIT(kinds[i].operation);
	}
	return BIT(OP_PREPARE_TRANSACTION);
}

static uint64_t
special_operations(const char *key, const json_t *n)
{
	bool grant = json_is_true(json_object_get(n, "is_grant"));
	bool move = json_is_true(json_object_get(n, "ismove"));

	if (strcmp(key, "CopyStmt") == 0)
		return copy_operations(n);
	if (strcmp(key, "VariableSetStmt") == 0)
		return set_operations(n);
	if (strcmp(key, "TransactionStmt") == 0)
		return transaction_operations(n);
	if (strcmp(key, "GrantStmt") == 0 ||
	    strcmp(key, "GrantRoleStmt") == 0)
		return grant ? BIT(OP_GRANT) : BIT(OP_REVOKE);
	if (strcmp(key, "FetchStmt") == 0)
		return move ? BIT(OP_MOVE) : BIT(OP_FETCH);
	if (strcmp(key, "VacuumStmt") == 0)
		return json_is_true(json_object_get(n, "is_vacuumcmd"))
		    ? BIT(OP_VACUUM)
		    : BIT(OP_ANALYZE);
	return 0;
}

static void
walk_node(struct truth *t, const char *key, const json_t *n)
{
	uint64_t ops = operation_of(key) | special_operations(key, n);
	bool changes = strcmp(key, "UpdateStmt") == 0 ||
	    strcmp(key, "DeleteStmt") == 0;

	if (strcmp(key, "RenameStmt") == 0 &&
	    word_is(n, "renameType", "OBJECT_ROLE"))
		ops = BIT(OP_ROLE);
	if (!t->plans_only)
		t->operations |= ops;
	else
		t->operations |= ops & BIT(OP_SELECT);
	if (changes && json_object_get(n, "whereClause") == NULL)
		t->lacks_where = true;
	if (json_object_get(n, "returningList") != NULL)
		t->returning = true;
	if (json_object_get(n, "intoClause") != NULL && !t->plans_only)
		t->operations |= BIT(OP_CREATE);
	if (strcmp(key, "CommonTableExpr") == 0)
		add_name(t->ctes, &t->cte_count,
		    json_string_value(json_object_get(n, "ctename")));
	if (strcmp(key, "ExplainStmt") == 0 &&
	    !has_option(json_object_get(n, "options"), "analyze"))
		t->plans_only = true;
}

static void
walk_member(struct truth *t, const char *key, const json_t *value)
{
	const json_t *update;

	if (strcmp(key, "onConflictClause") == 0 &&
	    word_is(value, "action", "ONCONFLICT_UPDATE") && !t->plans_only)
		t->operations |= BIT(OP_UPDATE);
	if (strcmp(key, "relname") == 0)
		add_name(t->relations, &t->relation_count,
		    json_string_value(value));
	if (strcmp(key, "larg") == 0 || strcmp(key, "rarg") == 0) {
		if (json_object_get(value, "op") != NULL)
			t->operations |= BIT(OP_SELECT);
	}
	if (strcmp(key, "ResTarget") == 0) {
		update = json_object_get(
		    json_object_get(value, "val"), "ColumnRef");
		const json_t *fields = json_object_get(update, "fields");
		size_t n = json_array_size(fields);

		if (n > 0 &&
		    json_object_get(json_array_get(fields, n - 1), "A_Star"))
			t->star = true;
	}
}

static void
walk(struct truth *t, const json_t *node)
{
	const char *key;
	json_t *value;
	size_t i;

	if (json_is_array(node)) {
		json_array_foreach((json_t *)(uintptr_t)node, i, value)
		    walk(t, value);
		return;
	}
	json_object_foreach((json_t *)(uintptr_t)node, key, value)
	{
		/* names of constraints, aliases, a foreign server's tables */
		if (strcmp(key, "ConstraintsSetStmt") == 0 ||
		    strcmp(key, "lockedRels") == 0 ||
		    strcmp(key, "table_list") == 0)
			continue;
		const json_t *inner = json_object_get(value, "SelectStmt");

		walk_member(t, key, value);
		/* INSERT … VALUES: the list is no SELECT of its own */
		if (strcmp(key, "selectStmt") == 0 && inner != NULL &&
		    is_values(inner)) {
			walk(t, inner);
			continue;
		}
		if (json_is_object(value))
			walk_node(t, key, value);
		walk(t, value);
	}
}

static void
walk_statements(struct truth *t, const json_t *tree)
{
	const json_t *statements = json_object_get(tree, "stmts"), *one;
	size_t i;

	t->statements = json_array_size(statements);
	json_array_foreach((json_t *)(uintptr_t)statements, i, one)
	{
		t->plans_only = false;
		walk(t, one);
	}
}

static void
find(const char *what, const char *detail)
{
	char name[sizeof(findings[0].what)];
	size_t i;

	snprintf(name, sizeof(name), "%s %s", what, detail);
	for (i = 0; i < finding_count; i++) {
		if (strcmp(findings[i].what, name) == 0)
			break;
	}
	if (i == FINDINGS_MAX)
		return;
	if (i == finding_count)
		snprintf(findings[finding_count++].what, sizeof(name), "%s",
		    name);
	findings[i].count++;
	if (findings[i].shown < samples && strncmp(what, "more", 4) != 0) {
		findings[i].shown++;
		printf("%s: ", name);
		for (i = 0; current[i] != '\0' && i < 400; i++)
			putchar(current[i] == '\n' ? ' ' : current[i]);
		putchar('\n');
	}
}

/* What the classifier says of the whole text. */
struct said {
	uint64_t operations, traits;
	bool all_where; /* every changing statement has the trait */
};

static struct said
said_of(const struct classified *c)
{
	struct said s = {.all_where = true};
	size_t i;

	for (i = 0; i < c->count; i++) {
		const struct statement *one = &c->statements[i];

		s.operations |= one->operations;
		s.traits |= one->traits;
		if (one->operations & (BIT(OP_UPDATE) | BIT(OP_DELETE)) &&
		    !(one->traits & BIT(TRAIT_WHERE)))
			s.all_where = false;
	}
	return s;
}

static bool
says_relation(const struct classified *c, const char *name)
{
	size_t i, k;

	for (i = 0; i < c->count; i++) {
		for (k = 0; k < c->statements[i].relation_count; k++) {
			if (text_is(c->statements[i].relations[k].name,
				text_of(name)))
				return true;
		}
	}
	return false;
}

static bool
is_cte(const struct truth *t, const char *name)
{
	size_t i;

	for (i = 0; i < t->cte_count; i++) {
		if (strcmp(t->ctes[i], name) == 0)
			return true;
	}
	return false;
}

static bool
compare(const struct truth *t, const struct classified *c)
{
	struct said said = said_of(c);
	uint64_t less = t->operations & ~said.operations;
	uint64_t more = said.operations & ~t->operations;
	size_t i;
	bool strict;

	for (i = 0; i < OP_MAX; i++) {
		if (less & BIT(i))
			find("LESS operation", operation_name((enum operation)i));
		if (more & BIT(i))
			find(i == OP_UNKNOWN ? "UNKNOWN" : "more operation",
			    operation_name((enum operation)i));
	}
	strict = less == 0 && !(more & BIT(OP_UNKNOWN));
	for (i = 0; i < t->relation_count; i++) {
		if (is_cte(t, t->relations[i]) ||
		    says_relation(c, t->relations[i]))
			continue;
		find("LESS relation", "");
		strict = false;
		break;
	}
	if (t->lacks_where && said.all_where &&
	    said.operations & (BIT(OP_UPDATE) | BIT(OP_DELETE))) {
		find("LESS where", "");
		strict = false;
	}
	if (t->star && !(said.traits & BIT(TRAIT_STAR))) {
		find("LESS star", "");
		strict = false;
	}
	if (t->returning && !(said.traits & BIT(TRAIT_RETURNING))) {
		find("LESS returning", "");
		strict = false;
	}
	if (t->statements != c->count) {
		find("LESS statements", "counted");
		strict = false;
	}
	return strict;
}

struct counts {
	size_t texts, compared, strict, refused, unparsed;
};

static void
judge(const struct classifier *c, const char *sql, struct arena *a,
    struct counts *counts)
{
	static const struct lex_state state = {.dialect = DIALECT_POSTGRES,
	    .standard_conforming_strings = true,
	    .is_utf8 = true};
	PgQueryParseResult parsed = pg_query_parse(sql);
	struct classified classified;
	struct truth truth = {0};
	json_t *tree;

	counts->texts++;
	current = sql;
	if (parsed.error != NULL) {
		counts->unparsed++;
		pg_query_free_parse_result(parsed);
		return;
	}
	tree = json_loads(parsed.parse_tree, JSON_ALLOW_NUL, NULL);
	walk_statements(&truth, tree);
	counts->compared++;
	arena_reset(a);
	if (classify_text(c, &state, text_of(sql), a, &classified) !=
	    ERR_NONE) {
		find("REFUSED", classified.error);
		counts->refused++;
	} else if (compare(&truth, &classified)) {
		counts->strict++;
	}
	json_decref(tree);
	pg_query_free_parse_result(parsed);
}

static char *
read_all(const char *path, size_t *len_out)
{
	gzFile file = gzopen(path, "rb");
	char *bytes = malloc(CORPUS_MAX + 1);
	int got;

	if (file == NULL || bytes == NULL) {
		perror(path);
		exit(2);
	}
	got = gzread(file, bytes, CORPUS_MAX);
	gzclose(file);
	if (got < 0) {
		fprintf(stderr, "%s: cannot be read\n", path);
		exit(2);
	}
	bytes[got] = '\0';
	*len_out = (size_t)got;
	return bytes;
}

static struct classifier *
load(const char *folder, struct arena *a)
{
	char classes[512], functions[512];
	struct text texts[2];
	struct classifier *c;
	const char *message = NULL;

	snprintf(classes, sizeof(classes), "%s/classes/postgres.yaml", folder);
	snprintf(functions, sizeof(functions), "%s/functions/postgres.yaml",
	    folder);
	texts[0].at = read_all(classes, &texts[0].len);
	texts[1].at = read_all(functions, &texts[1].len);
	if (classifier_new(DIALECT_POSTGRES, classes, texts[0], functions,
		texts[1], a, &c, &message) != ERR_NONE) {
		fprintf(stderr, "%s\n", message ? message : "out of memory");
		exit(2);
	}
	free((char *)(uintptr_t)texts[0].at);
	free((char *)(uintptr_t)texts[1].at);
	return c;
}

int
main(int argc, char **argv)
{
	struct arena *messages = arena_new(0), *a = arena_new(0);
	struct counts n = {0};
	struct classifier *c;
	size_t len, at, i;
	char *corpus;

	if (argc < 3) {
		fprintf(stderr, "usage: oracle POLICIES CORPUS [samples]\n");
		return 2;
	}
	if (argc > 3)
		samples = (size_t)atoi(argv[3]);
	c = load(argv[1], messages);
	corpus = read_all(argv[2], &len);
	for (at = 0; at < len; at += strlen(corpus + at) + 1)
		judge(c, corpus + at, a, &n);
	for (i = 0; i < finding_count; i++)
		printf("%7zu  %s\n", findings[i].count, findings[i].what);
	printf("%zu texts, %zu compared, %zu as strict, %zu less strict or "
	       "unknown, %zu refused, %zu the parser refuses\n",
	    n.texts, n.compared, n.strict, n.compared - n.strict - n.refused,
	    n.refused, n.unparsed);
	free(corpus);
	classifier_free(c);
	arena_free(a);
	arena_free(messages);
	return n.compared == n.strict ? 0 : 1;
}
