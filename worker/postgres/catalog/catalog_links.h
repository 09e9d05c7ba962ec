/*
 * catalog_links.h - columns whose values come from other columns, as SQL.
 *
 * Each row: relation and number of a column, and relation and number of one
 * from which its values come.
 */
#ifndef SALLYPORT_POSTGRES_CATALOG_LINKS_H
#define SALLYPORT_POSTGRES_CATALOG_LINKS_H

/* A child's column and its parent's of the same name. */
extern const char catalog_inherits_sql[];
/* A foreign table's column and that of the local relation it seems to be. */
extern const char catalog_foreign_sql[];
/* A generated column and those it is computed from. */
extern const char catalog_generated_sql[];
/* Another form: relation, number, and the tree of the column's default or
 * of the expression that generates it. */
extern const char catalog_defaults_sql[];

#endif
