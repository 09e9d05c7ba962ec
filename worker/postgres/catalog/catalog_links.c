/*
 * catalog_links.c - columns whose values come from other columns, as SQL.
 *
 * The rule: valid on every server from 12 on; never an error because of what
 * users have made.
 */
#include "worker/postgres/catalog/catalog_links.h"

const char catalog_inherits_sql[] =
    "SELECT i.inhrelid, a.attnum, i.inhparent, p.attnum"
    " FROM pg_catalog.pg_inherits i"
    " JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid"
    " JOIN pg_catalog.pg_attribute a ON a.attrelid = i.inhrelid"
    " JOIN pg_catalog.pg_attribute p"
    " ON p.attrelid = i.inhparent AND p.attname = a.attname"
    " WHERE c.relkind IN ('r', 'p', 'f') AND a.attnum > 0 AND p.attnum > 0"
    " AND NOT a.attisdropped AND NOT p.attisdropped";

/* The server at the other end may be this one, or one with the same tables.
 * Without a schema's name any schema is meant. */
const char catalog_foreign_sql[] =
    "SELECT a.attrelid, a.attnum, b.attrelid, b.attnum"
    " FROM pg_catalog.pg_foreign_table f"
    " JOIN pg_catalog.pg_class c ON c.oid = f.ftrelid"
    " JOIN pg_catalog.pg_attribute a"
    " ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
    " CROSS JOIN LATERAL (SELECT"
    " pg_catalog.max(option_value) FILTER (WHERE option_name"
    " IN ('table_name', 'table')) AS relation,"
    " pg_catalog.max(option_value) FILTER (WHERE option_name"
    " IN ('schema_name', 'schema')) AS schema"
    " FROM pg_catalog.pg_options_to_table(f.ftoptions)) o"
    " CROSS JOIN LATERAL (SELECT"
    " pg_catalog.max(option_value) FILTER (WHERE option_name"
    " IN ('column_name', 'column')) AS name"
    " FROM pg_catalog.pg_options_to_table(a.attfdwoptions)) k"
    " JOIN pg_catalog.pg_class l ON l.oid <> c.oid"
    " AND l.relkind IN ('r', 'p', 'v', 'm', 'f') AND pg_catalog.lower("
    "l.relname) = pg_catalog.lower(coalesce(o.relation, c.relname))"
    " JOIN pg_catalog.pg_namespace n ON n.oid = l.relnamespace"
    " AND pg_catalog.lower(n.nspname)"
    " = pg_catalog.lower(coalesce(o.schema, n.nspname))"
    " JOIN pg_catalog.pg_attribute b ON b.attrelid = l.oid AND b.attnum > 0"
    " AND NOT b.attisdropped AND pg_catalog.lower(b.attname)"
    " = pg_catalog.lower(coalesce(k.name, a.attname))";

/* Before 15 it is the column that depends, from then on its expression. */
const char catalog_generated_sql[] =
    "SELECT a.attrelid, a.attnum, d.refobjid, d.refobjsubid"
    " FROM pg_catalog.pg_attribute a"
    " JOIN pg_catalog.pg_attrdef e"
    " ON e.adrelid = a.attrelid AND e.adnum = a.attnum"
    " JOIN pg_catalog.pg_depend d"
    " ON (d.classid = 'pg_catalog.pg_attrdef'::regclass AND d.objid = e.oid"
    " OR d.classid = 'pg_catalog.pg_class'::regclass"
    " AND d.objid = a.attrelid AND d.objsubid = a.attnum)"
    " AND d.refclassid = 'pg_catalog.pg_class'::regclass"
    " AND d.refobjid = a.attrelid AND d.refobjsubid > 0"
    " AND d.refobjsubid <> a.attnum"
    " WHERE a.attgenerated <> '' AND NOT a.attisdropped";

const char catalog_defaults_sql[] =
    "SELECT e.adrelid, e.adnum, e.adbin::text FROM pg_catalog.pg_attrdef e"
    " JOIN pg_catalog.pg_class c ON c.oid = e.adrelid"
    " WHERE c.relkind IN ('r', 'p', 'v', 'f')";
