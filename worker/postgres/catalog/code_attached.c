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
 *
 * Of what may escape (struct code) it tells more, as kinds of their own, since
 * masks have better ways to follow it: the functions of views' queries, and
 * built-in ones, wherever they stand.  What is not volatile changes nothing.
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
	" 'pg_catalog.pg_attrdef'::regclass, 'pg_catalog.pg_class'::regclass," \
	" 'pg_catalog.pg_rewrite'::regclass)"

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

#define ESCAPES                                                                \
	"SELECT '9', false, u.function, w.ev_class FROM uses u"                \
	" JOIN pg_catalog.pg_rewrite w ON w.oid = u.objid"                     \
	" AND u.classid = 'pg_catalog.pg_rewrite'::regclass"                   \
	" WHERE w.ev_type = '1'"                                               \
	" UNION SELECT '9', false, u.function, w.ev_class"                     \
	" FROM pg_catalog.pg_depend d"                                         \
	" JOIN pg_catalog.pg_rewrite w ON w.oid = d.objid"                     \
	" JOIN pg_catalog.pg_constraint c ON c.contypid = d.refobjid"          \
	" JOIN uses u ON u.objid = c.oid"                                      \
	" AND u.classid = 'pg_catalog.pg_constraint'::regclass"                \
	" WHERE d.classid = 'pg_catalog.pg_rewrite'::regclass"                 \
	" AND d.refclassid = 'pg_catalog.pg_type'::regclass"                   \
	" UNION SELECT t.kind, false, f.oid, t.relation FROM trees t"          \
	" CROSS JOIN LATERAL pg_catalog.regexp_matches("                       \
	"t.tree, ':funcid ([0-9]{1,9})', 'g') m"                               \
	" JOIN pg_catalog.pg_proc f ON f.oid = m[1]::oid"                      \
	" WHERE f.oid < 16384 AND f.provolatile = 'v'"

/* Expressions that the server keeps, as it writes them. */
#define TREES                                                                  \
	"SELECT '9' AS kind, w.ev_class AS relation, w.ev_action::text AS tree"\
	" FROM pg_catalog.pg_rewrite w"                                        \
	" WHERE w.oid >= 16384 AND w.ev_type = '1'"                            \
	" UNION ALL SELECT '9', p.polrelid,"                                   \
	" pg_catalog.concat(p.polqual::text, p.polwithcheck::text)"            \
	" FROM pg_catalog.pg_policy p"                                         \
	" UNION ALL SELECT '10', e.adrelid, e.adbin::text"                     \
	" FROM pg_catalog.pg_attrdef e"                                        \
	" UNION ALL SELECT '10', c.conrelid, c.conbin::text"                   \
	" FROM pg_catalog.pg_constraint c WHERE c.conrelid <> 0"               \
	" UNION ALL SELECT '10', a.attrelid, c.conbin::text"                   \
	" FROM pg_catalog.pg_constraint c"                                     \
	" JOIN pg_catalog.pg_attribute a ON a.atttypid = c.contypid"           \
	" WHERE c.contypid <> 0"                                               \
	" UNION ALL SELECT '10', t.tgrelid, t.tgqual::text"                    \
	" FROM pg_catalog.pg_trigger t"

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
    "WITH RECURSIVE uses AS (" USES "), trees AS (" TREES "), leads AS ("
    LEADS "), runs AS (" TRIGGERS " UNION " OTHERS " UNION " ESCAPES
    " UNION SELECT r.kind, r.truncates, r.function, l.above FROM runs r"
    " JOIN leads l ON l.below = r.relation"
    " AND (l.is_always OR r.truncates))"
    " SELECT DISTINCT r.kind, c.relname, 0, '0', r.function, '0'"
    " FROM runs r JOIN pg_catalog.pg_class c ON c.oid = r.relation";
