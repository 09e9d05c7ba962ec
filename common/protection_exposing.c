/*
 * protection_exposing.c - relations of the system through which other
 * relations' values, other people's statements or secrets can be seen.
 *
 * The rule: listed is what holds values and statements whoever they are of.
 * What the author of a schema wrote into it (defaults, checks, predicates of
 * indexes, texts of views and functions, labels of enums) is no value.
 *
 * Two columns of the catalogue hold values of some tables only; the reading
 * of the catalogue gives these columns as their sources
 * (worker/postgres/catalog/catalog_read.c):
 *     pg_class.relpartbound       the bounds of partitions
 *     pg_attribute.attmissingval  what rows older than a column have in it
 */
#include "common/protection_inner.h"

/* `column` NULL: all of them. */
static const struct exposing {
	const char *relation, *column;
} exposing[] = {
    /* statistics: the most common values, and bounds of histograms */
    {"pg_statistic", NULL},
    {"pg_statistic_ext_data", NULL},
    {"pg_stats", NULL},
    {"pg_stats_ext", NULL},
    {"pg_stats_ext_exprs", NULL},
    /* statements, with their literals */
    {"pg_cursors", NULL},
    {"pg_prepared_statements", NULL},
    {"pg_stat_activity", "query"},
    {"pg_stat_monitor", NULL},
    {"pg_stat_statements", NULL},
    {"pg_qualstats", NULL},
    {"pg_qualstats_all", NULL},
    {"pg_qualstats_by_query", NULL},
    {"pg_qualstats_pretty", NULL},
    {"pg_show_plans", NULL},
    {"pg_show_plans_q", NULL},
    {"pg_stat_plans", NULL},
    {"pg_store_plans", NULL},
    {"citus_dist_stat_activity", "query"},
    {"citus_stat_activity", "query"},
    {"citus_stat_statements", NULL},
    /* large objects, of whatever */
    {"pg_largeobject", NULL},
    /* passwords, and what may hold one */
    {"_pg_user_mappings", "umoptions"},
    {"pg_authid", "rolpassword"},
    {"pg_file_settings", "setting"},
    {"pg_hba_file_rules", "options"},
    {"pg_shadow", "passwd"},
    {"pg_subscription", "subconninfo"},
    {"pg_user_mapping", "umoptions"},
    {"pg_user_mappings", "umoptions"},
    {"user_mapping_options", "option_value"},
};

bool
protection_is_exposing(
    struct text schema, struct text name, struct text column)
{
	size_t i;

	/* Out-of-line values of any relation, readable as rows. */
	if (text_starts(schema, TEXT("pg_toast")))
		return true;
	for (i = 0; i < sizeof(exposing) / sizeof(*exposing); i++) {
		if (!text_is(text_of(exposing[i].relation), name))
			continue;
		return exposing[i].column == NULL || column.len == 0 ||
		    text_is(text_of(exposing[i].column), column);
	}
	return false;
}

/* --- bounds of partitions ------------------------------------------------- */

enum { PG_CLASS = 1259 /* the same in every database of every version */ };

static const struct text bounds = TEXT("relpartbound");

bool
protection_is_bounds(const struct known_relation *r, size_t i)
{
	return r->relation.oid == PG_CLASS &&
	    text_is(r->relation.columns[i].name, bounds);
}

/* Are there partitions by the values of a protected column? What cannot be
 * told counts as a yes. */
static bool
has_protected_bounds(struct protection *p)
{
	struct known_relation *r;
	size_t i;

	if (protection_known(p, PG_CLASS, &r) != ERR_NONE)
		return true;
	for (i = 0; i < r->relation.column_count; i++) {
		if (!protection_is_bounds(r, i))
			continue;
		return protection_resolve(p, r, i) != ERR_NONE ||
		    r->columns[i].found.mask != MASK_NONE;
	}
	return true;
}

/* The function that puts them into words, given a table's OID. */
static const struct text bounds_function =
    TEXT("pg_get_partition_constraintdef");

bool
protection_calls_exposing(struct protection *p, const struct statement *s)
{
	return statement_mentions(s, bounds_function) &&
	    has_protected_bounds(p);
}

bool
protection_function_exposes(struct protection *p, struct text function)
{
	return text_is(function, bounds_function) && has_protected_bounds(p);
}
