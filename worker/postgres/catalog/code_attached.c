/*
 * code_attached.c - code that runs with relations, without being named, as SQL.
 *
 * The rule: what runs when one relation is written runs when another one is
 * through which the first can be written: a parent of it, a view of it, one
 * that it refers to with a foreign key that passes changes on.  More is told
 * than runs, never less; what TRUNCATE runs may come through any foreign key.
 *
 * Beside the functions of triggers, those that the system knows to be used in
 * triggers' conditions, policies, checks (of domains, too), defaults, indexes
 * and partition keys. It does not tell of built-in ones, which are clean.
 */
#include "worker/postgres/catalog/catalog_code.h"

/* In tgtype 1 is FOR EACH ROW, 2 BEFORE, 32 TRUNCATE, 64 INSTEAD OF. A trigger
 * of users that the server made again for a partition may count as internal. */
#define TRIGGERS                                                               \
	"SELECT CASE WHEN t.tgtype & 1 <> 0 AND t.tgtype & 66 <> 0"            \
	" THEN '7' ELSE '6' END AS kind, t.tgtype & 32 <> 0 AS truncates,"     \
	" t.tgfoid::oid AS function, t.tgrelid::oid AS relation"               \
	" FROM pg_catalog.pg_trigger t WHERE t.tgenabled <> 'D'"               \
	" AND (NOT t.tgisinternal OR t.tgfoid >= 16384)"

/* Functions of users, by what uses them. */
#define USES                                                                   \
	"SELECT d.classid, d.objid, coalesce(o.oprcode::oid, d.refobjid)"      \
	" AS function FROM pg_catalog.pg_depend d"                             \
	" LEFT JOIN pg_catalog.pg_operator o ON o.oid = d.refobjid"            \
	" AND d.refclassid = 'pg_catalog.pg_operator'::regclass"               \
	" WHERE d.refclassid IN ('pg_catalog.pg_proc'::regclass,"              \
	" 'pg_catalog.pg_operator'::regclass) AND d.refobjid >= 16384"         \
	" AND d.classid IN ('pg_catalog.pg_trigger'::regclass,"                \
	" 'pg_catalog.pg_policy'::regclass,"                                   \
	" 'pg_catalog.pg_constraint'::regclass,"                               \
	" 'pg_catalog.pg_attrdef'::regclass, 'pg_catalog.pg_class'::regclass)"

#define OTHERS                                                                 \
	"SELECT '6', t.tgtype & 32 <> 0, u.function, t.tgrelid FROM uses u"    \
	" JOIN pg_catalog.pg_trigger t ON t.oid = u.objid"                     \
	" AND u.classid = 'pg_catalog.pg_trigger'::regclass"                   \
	" AND u.function <> t.tgfoid"                                          \
	" UNION SELECT '8', false, u.function, p.polrelid FROM uses u"         \
	" JOIN pg_catalog.pg_policy p ON p.oid = u.objid"                      \
	" AND u.classid = 'pg_catalog.pg_policy'::regclass"                    \
	" UNION SELECT '6', false, u.function,"                                \
	" CASE WHEN c.conrelid <> 0 THEN c.conrelid ELSE a.attrelid END"       \
	" FROM uses u JOIN pg_catalog.pg_constraint c ON c.oid = u.objid"      \
	" AND u.classid = 'pg_catalog.pg_constraint'::regclass"                \
	" LEFT JOIN pg_catalog.pg_attribute a"                                 \
	" ON c.contypid <> 0 AND a.atttypid = c.contypid"                      \
	" WHERE c.conrelid <> 0 OR a.attrelid IS NOT NULL"                     \
	" UNION SELECT '6', false, u.function, e.adrelid FROM uses u"          \
	" JOIN pg_catalog.pg_attrdef e ON e.oid = u.objid"                     \
	" AND u.classid = 'pg_catalog.pg_attrdef'::regclass"                   \
	" UNION SELECT '6', false, u.function,"                                \
	" coalesce(i.indrelid, u.objid) FROM uses u"                           \
	" LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = u.objid"           \
	" WHERE u.classid = 'pg_catalog.pg_class'::regclass"

#define LEADS                                                                  \
	"SELECT i.inhparent AS above, i.inhrelid AS below, true AS is_always"  \
	" FROM pg_catalog.pg_inherits i"                                       \
	" UNION SELECT r.ev_class, d.refobjid, true"                           \
	" FROM pg_catalog.pg_depend d"                                         \
	" JOIN pg_catalog.pg_rewrite r ON r.oid = d.objid"                     \
	" WHERE d.classid = 'pg_catalog.pg_rewrite'::regclass"                 \
	" AND d.refclassid = 'pg_catalog.pg_class'::regclass"                  \
	" AND d.refobjid <> r.ev_class AND d.refobjid >= 16384"                \
	" UNION SELECT f.confrelid, f.conrelid,"                               \
	" f.confdeltype IN ('c', 'n', 'd') OR f.confupdtype IN ('c', 'n', 'd')" \
	" FROM pg_catalog.pg_constraint f WHERE f.contype = 'f'"

const char code_attached_sql[] =
    "WITH RECURSIVE uses AS (" USES "), leads AS (" LEADS "), runs AS ("
    TRIGGERS " UNION " OTHERS
    " UNION SELECT r.kind, r.truncates, r.function, l.above FROM runs r"
    " JOIN leads l ON l.below = r.relation"
    " AND (l.is_always OR r.truncates))"
    " SELECT DISTINCT r.kind, c.relname, 0, '0', r.function, '0'"
    " FROM runs r JOIN pg_catalog.pg_class c ON c.oid = r.relation";
