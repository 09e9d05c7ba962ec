/*
 * query_words.h - the keywords that the query parser must know.
 *
 * Facts of PostgreSQL's src/include/parser/kwlist.h, the union of 12 to 18:
 * all words that are more than a name, those that an alias without AS cannot
 * be, and those the grammar of queries uses. A word that is not here is an
 * ordinary name, in all versions: what is unreserved in one and unknown in
 * another is a name to both.
 */
#ifndef SALLYPORT_QUERY_WORDS_H
#define SALLYPORT_QUERY_WORDS_H

#include "common/text.h"

enum {
	WORD_IS_RESERVED = 1,  /* names nothing */
	WORD_IS_COLUMN = 2,    /* names columns and relations, but no function
				* and no type */
	WORD_IS_FUNCTION = 4,  /* names functions and types only */
	WORD_NEEDS_AS = 8,     /* as an alias */
	WORD_CONTINUES = 16,   /* an expression may go on with it */
	WORD_DIFFERS = 32,     /* a name in some versions, a value in others */
};

/* name, spelling, flags by their letters (see query_words.c); in order */
#define QUERY_WORDS(W) \
	W(ALL, "all", R) \
	W(ANALYSE, "analyse", R) \
	W(ANALYZE, "analyze", R) \
	W(AND, "and", R | M) \
	W(ANY, "any", R) \
	W(ARRAY, "array", R | A) \
	W(AS, "as", R | A) \
	W(ASC, "asc", R) \
	W(ASENSITIVE, "asensitive", 0) \
	W(ASYMMETRIC, "asymmetric", R) \
	W(AT, "at", M) \
	W(AUTHORIZATION, "authorization", F) \
	W(BETWEEN, "between", C | M) \
	W(BIGINT, "bigint", C) \
	W(BINARY, "binary", F) \
	W(BIT, "bit", C) \
	W(BOOLEAN, "boolean", C) \
	W(BOTH, "both", R) \
	W(BREADTH, "breadth", 0) \
	W(BY, "by", 0) \
	W(CASCADED, "cascaded", 0) \
	W(CASE, "case", R) \
	W(CAST, "cast", R) \
	W(CHAR, "char", C | A) \
	W(CHARACTER, "character", C | A) \
	W(CHECK, "check", R) \
	W(COALESCE, "coalesce", C) \
	W(COLLATE, "collate", R | M) \
	W(COLLATION, "collation", F) \
	W(COLUMN, "column", R) \
	W(COLUMNS, "columns", 0) \
	W(COMMIT, "commit", 0) \
	W(CONCURRENTLY, "concurrently", F) \
	W(CONFLICT, "conflict", 0) \
	W(CONSTRAINT, "constraint", R) \
	W(CONTENT, "content", 0) \
	W(COPY, "copy", 0) \
	W(CREATE, "create", R | A) \
	W(CROSS, "cross", F) \
	W(CUBE, "cube", 0) \
	W(CURRENT, "current", 0) \
	W(CURRENT_CATALOG, "current_catalog", R) \
	W(CURRENT_DATE, "current_date", R) \
	W(CURRENT_ROLE, "current_role", R) \
	W(CURRENT_SCHEMA, "current_schema", F) \
	W(CURRENT_TIME, "current_time", R) \
	W(CURRENT_TIMESTAMP, "current_timestamp", R) \
	W(CURRENT_USER, "current_user", R) \
	W(CURSOR, "cursor", 0) \
	W(CYCLE, "cycle", 0) \
	W(DATA, "data", 0) \
	W(DAY, "day", A) \
	W(DEC, "dec", C) \
	W(DECIMAL, "decimal", C) \
	W(DECLARE, "declare", 0) \
	W(DEFAULT, "default", R) \
	W(DEFERRABLE, "deferrable", R) \
	W(DELETE, "delete", 0) \
	W(DEPTH, "depth", 0) \
	W(DESC, "desc", R) \
	W(DISTINCT, "distinct", R) \
	W(DO, "do", R) \
	W(DOCUMENT, "document", 0) \
	W(DOUBLE, "double", 0) \
	W(DROP, "drop", 0) \
	W(ELSE, "else", R) \
	W(END, "end", R) \
	W(ESCAPE, "escape", M) \
	W(EXCEPT, "except", R | A) \
	W(EXCLUDE, "exclude", 0) \
	W(EXISTS, "exists", C) \
	W(EXPLAIN, "explain", 0) \
	W(EXTRACT, "extract", C) \
	W(FALSE, "false", R) \
	W(FETCH, "fetch", R | A) \
	W(FILTER, "filter", A) \
	W(FIRST, "first", 0) \
	W(FLOAT, "float", C) \
	W(FOLLOWING, "following", 0) \
	W(FOR, "for", R | A) \
	W(FOREIGN, "foreign", R) \
	W(FREEZE, "freeze", F) \
	W(FROM, "from", R | A) \
	W(FULL, "full", F) \
	W(GLOBAL, "global", 0) \
	W(GRANT, "grant", R | A) \
	W(GREATEST, "greatest", C) \
	W(GROUP, "group", R | A) \
	W(GROUPING, "grouping", C) \
	W(GROUPS, "groups", 0) \
	W(HAVING, "having", R | A) \
	W(HOLD, "hold", 0) \
	W(HOUR, "hour", A) \
	W(IF, "if", 0) \
	W(ILIKE, "ilike", F | M) \
	W(IN, "in", R | M) \
	W(INDENT, "indent", 0) \
	W(INITIALLY, "initially", R) \
	W(INNER, "inner", F) \
	W(INOUT, "inout", C) \
	W(INSENSITIVE, "insensitive", 0) \
	W(INSERT, "insert", 0) \
	W(INT, "int", C) \
	W(INTEGER, "integer", C) \
	W(INTERSECT, "intersect", R | A) \
	W(INTERVAL, "interval", C) \
	W(INTO, "into", R | A) \
	W(IS, "is", F | M) \
	W(ISNULL, "isnull", F | A | M) \
	W(JOIN, "join", F) \
	W(JSON, "json", C) \
	W(JSON_ARRAY, "json_array", C) \
	W(JSON_ARRAYAGG, "json_arrayagg", C) \
	W(JSON_EXISTS, "json_exists", C) \
	W(JSON_OBJECT, "json_object", C) \
	W(JSON_OBJECTAGG, "json_objectagg", C) \
	W(JSON_QUERY, "json_query", C) \
	W(JSON_SCALAR, "json_scalar", C) \
	W(JSON_SERIALIZE, "json_serialize", C) \
	W(JSON_TABLE, "json_table", C) \
	W(JSON_VALUE, "json_value", C) \
	W(KEY, "key", 0) \
	W(KEYS, "keys", 0) \
	W(LAST, "last", 0) \
	W(LATERAL, "lateral", R) \
	W(LEADING, "leading", R) \
	W(LEAST, "least", C) \
	W(LEFT, "left", F) \
	W(LIKE, "like", F | M) \
	W(LIMIT, "limit", R | A) \
	W(LOCAL, "local", 0) \
	W(LOCALTIME, "localtime", R) \
	W(LOCALTIMESTAMP, "localtimestamp", R) \
	W(LOCKED, "locked", 0) \
	W(MATCHED, "matched", 0) \
	W(MATERIALIZED, "materialized", 0) \
	W(MERGE, "merge", 0) \
	W(MERGE_ACTION, "merge_action", C) \
	W(MINUTE, "minute", A) \
	W(MONTH, "month", A) \
	W(NAME, "name", 0) \
	W(NATIONAL, "national", C) \
	W(NATURAL, "natural", F) \
	W(NCHAR, "nchar", C) \
	W(NEW, "new", 0) \
	W(NEXT, "next", 0) \
	W(NFC, "nfc", 0) \
	W(NFD, "nfd", 0) \
	W(NFKC, "nfkc", 0) \
	W(NFKD, "nfkd", 0) \
	W(NO, "no", 0) \
	W(NONE, "none", C) \
	W(NORMALIZE, "normalize", C) \
	W(NORMALIZED, "normalized", 0) \
	W(NOT, "not", R | M) \
	W(NOTHING, "nothing", 0) \
	W(NOTNULL, "notnull", F | A | M) \
	W(NOWAIT, "nowait", 0) \
	W(NULL, "null", R) \
	W(NULLIF, "nullif", C) \
	W(NULLS, "nulls", 0) \
	W(NUMERIC, "numeric", C) \
	W(OBJECT, "object", 0) \
	W(OF, "of", 0) \
	W(OFFSET, "offset", R | A) \
	W(OIDS, "oids", 0) \
	W(OLD, "old", 0) \
	W(ON, "on", R | A) \
	W(ONLY, "only", R) \
	W(OPERATOR, "operator", M) \
	W(OPTION, "option", 0) \
	W(OR, "or", R | M) \
	W(ORDER, "order", R | A) \
	W(ORDINALITY, "ordinality", 0) \
	W(OTHERS, "others", 0) \
	W(OUT, "out", C) \
	W(OUTER, "outer", F) \
	W(OVER, "over", A) \
	W(OVERLAPS, "overlaps", F | A | M) \
	W(OVERLAY, "overlay", C) \
	W(OVERRIDING, "overriding", 0) \
	W(PARTITION, "partition", 0) \
	W(PASSING, "passing", 0) \
	W(PATH, "path", 0) \
	W(PLACING, "placing", R) \
	W(POSITION, "position", C) \
	W(PRECEDING, "preceding", 0) \
	W(PRECISION, "precision", C | A) \
	W(PREPARE, "prepare", 0) \
	W(PRESERVE, "preserve", 0) \
	W(PRIMARY, "primary", R) \
	W(RANGE, "range", 0) \
	W(READ, "read", 0) \
	W(REAL, "real", C) \
	W(RECURSIVE, "recursive", 0) \
	W(REF, "ref", 0) \
	W(REFERENCES, "references", R) \
	W(REPEATABLE, "repeatable", 0) \
	W(REPLACE, "replace", 0) \
	W(RETURNING, "returning", R | A) \
	W(RIGHT, "right", F) \
	W(ROLLUP, "rollup", 0) \
	W(ROW, "row", C) \
	W(ROWS, "rows", 0) \
	W(SCALAR, "scalar", 0) \
	W(SCROLL, "scroll", 0) \
	W(SEARCH, "search", 0) \
	W(SECOND, "second", A) \
	W(SELECT, "select", R) \
	W(SESSION_USER, "session_user", R) \
	W(SET, "set", 0) \
	W(SETOF, "setof", C) \
	W(SETS, "sets", 0) \
	W(SHARE, "share", 0) \
	W(SIMILAR, "similar", F | M) \
	W(SKIP, "skip", 0) \
	W(SMALLINT, "smallint", C) \
	W(SOME, "some", R) \
	W(SOURCE, "source", 0) \
	W(STANDALONE, "standalone", 0) \
	W(STRIP, "strip", 0) \
	W(SUBSTRING, "substring", C) \
	W(SYMMETRIC, "symmetric", R) \
	W(SYSTEM, "system", 0) \
	W(SYSTEM_USER, "system_user", R | D) \
	W(TABLE, "table", R) \
	W(TABLESAMPLE, "tablesample", F) \
	W(TABLESPACE, "tablespace", 0) \
	W(TARGET, "target", 0) \
	W(TEMP, "temp", 0) \
	W(TEMPORARY, "temporary", 0) \
	W(THEN, "then", R) \
	W(TIES, "ties", 0) \
	W(TIME, "time", C) \
	W(TIMESTAMP, "timestamp", C) \
	W(TO, "to", R | A) \
	W(TRAILING, "trailing", R) \
	W(TREAT, "treat", C) \
	W(TRIM, "trim", C) \
	W(TRUE, "true", R) \
	W(UESCAPE, "uescape", M) \
	W(UNBOUNDED, "unbounded", 0) \
	W(UNION, "union", R | A) \
	W(UNIQUE, "unique", R) \
	W(UNKNOWN, "unknown", 0) \
	W(UNLOGGED, "unlogged", 0) \
	W(UPDATE, "update", 0) \
	W(USER, "user", R) \
	W(USING, "using", R) \
	W(VALUE, "value", 0) \
	W(VALUES, "values", C) \
	W(VARCHAR, "varchar", C) \
	W(VARIADIC, "variadic", R) \
	W(VARYING, "varying", A) \
	W(VERBOSE, "verbose", F) \
	W(VERSION, "version", 0) \
	W(VIEW, "view", 0) \
	W(WHEN, "when", R) \
	W(WHERE, "where", R | A) \
	W(WHITESPACE, "whitespace", 0) \
	W(WINDOW, "window", R | A) \
	W(WITH, "with", R | A) \
	W(WITHIN, "within", A) \
	W(WITHOUT, "without", A) \
	W(XMLATTRIBUTES, "xmlattributes", C) \
	W(XMLCONCAT, "xmlconcat", C) \
	W(XMLELEMENT, "xmlelement", C) \
	W(XMLEXISTS, "xmlexists", C) \
	W(XMLFOREST, "xmlforest", C) \
	W(XMLNAMESPACES, "xmlnamespaces", C) \
	W(XMLPARSE, "xmlparse", C) \
	W(XMLPI, "xmlpi", C) \
	W(XMLROOT, "xmlroot", C) \
	W(XMLSERIALIZE, "xmlserialize", C) \
	W(XMLTABLE, "xmltable", C) \
	W(YEAR, "year", A) \
	W(YES, "yes", 0) \
	W(ZONE, "zone", 0)

#define QUERY_WORD_NAME(name, spelling, flags) WORD_##name,
enum query_word { NO_WORD, QUERY_WORDS(QUERY_WORD_NAME) WORD_COUNT };
#undef QUERY_WORD_NAME

/* The keyword that is spelt so (folded), or NO_WORD. */
enum query_word query_word(struct text spelling);

/* Its flags; 0 for NO_WORD. */
unsigned query_word_flags(enum query_word word);

#endif
