/* random_sql.h - statements made at random, the same for the same seed. */
#ifndef SALLYPORT_RANDOM_SQL_H
#define SALLYPORT_RANDOM_SQL_H

#include <stddef.h>

/* A text that may or may not be SQL; free() it. */
char *random_sql(size_t seed);

#endif
