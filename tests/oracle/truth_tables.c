/*
 * truth_tables.c - see truth_tables.h.
 */
#include "truth_tables.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static const struct {
	const char *type;
	enum operation operation;
} operations[] = {
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
};

static const struct {
	const char *kind;
	enum operation operation;
} transactions[] = {
    {"TRANS_STMT_BEGIN", OP_BEGIN},
    {"TRANS_STMT_START", OP_BEGIN},
    {"TRANS_STMT_COMMIT", OP_COMMIT},
    {"TRANS_STMT_ROLLBACK", OP_ROLLBACK},
    {"TRANS_STMT_ROLLBACK_TO", OP_ROLLBACK},
    {"TRANS_STMT_SAVEPOINT", OP_SAVEPOINT},
    {"TRANS_STMT_RELEASE", OP_RELEASE},
};

static const struct {
	const char *type, *member;
} writes[] = {
    {"AlterObjectDependsStmt", "relation"},
    {"AlterObjectSchemaStmt", "relation"},
    {"AlterPolicyStmt", "table"},
    {"AlterSeqStmt", "sequence"},
    {"AlterTableStmt", "relation"},
    {"ClusterStmt", "relation"},
    {"CompositeTypeStmt", "typevar"},
    {"CreatePolicyStmt", "table"},
    {"CreateSeqStmt", "sequence"},
    {"CreateStmt", "relation"},
    {"CreateTrigStmt", "relation"},
    {"DeleteStmt", "relation"},
    {"GrantStmt", "objects"},
    {"IndexStmt", "relation"},
    {"InsertStmt", "relation"},
    {"IntoClause", "rel"},
    {"MergeStmt", "relation"},
    {"PartitionCmd", "name"},
    {"RefreshMatViewStmt", "relation"},
    {"ReindexStmt", "relation"},
    {"RenameStmt", "relation"},
    {"RuleStmt", "relation"},
    {"TruncateStmt", "relations"},
    {"UpdateStmt", "relation"},
    {"ViewStmt", "view"},
};

static const struct {
	const char *member, *type;
} types[] = {
    {"action", "GrantStmt"}, /* of ALTER DEFAULT PRIVILEGES */
    {"base", "CreateStmt"},  /* of CREATE FOREIGN TABLE */
    {"funccall", "called"}, /* CALL says more than a trait could */
    {"into", "IntoClause"},
    {"intoClause", "IntoClause"},
    {"larg", "SelectStmt"},
    {"rarg", "SelectStmt"},
};

static const struct {
	const char *type, *member;
} skipped[] = {
    {"AlterDatabaseSetStmt", "setstmt"},
    {"AlterRoleSetStmt", "setstmt"},
    {"AlterSystemStmt", "setstmt"},
    {"ConstraintsSetStmt", "constraints"},
    {"CopyStmt", "options"},
    {"CopyStmt", "relation"},
    {"ImportForeignSchemaStmt", "table_list"},
    {"LockingClause", "lockedRels"},
};

static const struct listed listed[] = {
    {"OBJECT_COLUMN", 1},
    {"OBJECT_FOREIGN_TABLE", 0},
    {"OBJECT_INDEX", 0},
    {"OBJECT_MATVIEW", 0},
    {"OBJECT_POLICY", 1},
    {"OBJECT_RULE", 1},
    {"OBJECT_SEQUENCE", 0},
    {"OBJECT_TABCONSTRAINT", 1},
    {"OBJECT_TABLE", 0},
    {"OBJECT_TRIGGER", 1},
    {"OBJECT_VIEW", 0},
};

const struct listed *
tables_listed(const char *kind)
{
	size_t i;

	for (i = 0; kind != NULL && i < COUNT(listed); i++) {
		if (strcmp(kind, listed[i].kind) == 0)
			return &listed[i];
	}
	return NULL;
}

static bool
is_statement(const char *type, const char *prefix)
{
	size_t len = strlen(type);

	return strncmp(type, prefix, strlen(prefix)) == 0 && len > 4 &&
	    strcmp(type + len - 4, "Stmt") == 0;
}

uint64_t
tables_operations(const char *type)
{
	size_t i;

	for (i = 0; i < COUNT(operations); i++) {
		if (strcmp(type, operations[i].type) == 0)
			return BIT(operations[i].operation);
	}
	if (is_statement(type, "Create"))
		return BIT(OP_CREATE);
	if (is_statement(type, "Alter"))
		return BIT(OP_ALTER);
	return 0;
}

uint64_t
tables_transaction(const char *kind)
{
	size_t i;

	for (i = 0; kind != NULL && i < COUNT(transactions); i++) {
		if (strcmp(kind, transactions[i].kind) == 0)
			return BIT(transactions[i].operation);
	}
	return BIT(OP_PREPARE_TRANSACTION);
}

bool
tables_writes(const char *type, const char *member)
{
	size_t i;

	for (i = 0; i < COUNT(writes); i++) {
		if (strcmp(type, writes[i].type) == 0 &&
		    strcmp(member, writes[i].member) == 0)
			return true;
	}
	return false;
}

const char *
tables_type(const char *member)
{
	size_t i;

	for (i = 0; i < COUNT(types); i++) {
		if (strcmp(member, types[i].member) == 0)
			return types[i].type;
	}
	return member;
}

bool
tables_skips(const char *type, const char *member)
{
	size_t i;

	for (i = 0; i < COUNT(skipped); i++) {
		if (strcmp(type, skipped[i].type) == 0 &&
		    strcmp(member, skipped[i].member) == 0)
			return true;
	}
	return false;
}
