/*
 * catalog.h - the process that reads an upstream's catalogue.
 *
 * One for each upstream.  It waits for wishes (common/ipc.h), logs in to the
 * database as Sallyport does, reads which relations and columns there are and
 * where their values come from, and puts that into the catalogue store.  It
 * never sees a client.  Every minute it reads again what was ever wished for.
 */
#ifndef SALLYPORT_POSTGRES_CATALOG_H
#define SALLYPORT_POSTGRES_CATALOG_H

struct birth;

enum {
	CATALOG_REFRESH_S = 60,
	CATALOG_TIMEOUT_MS = 60000, /* between two messages of the server */
	CATALOG_MEMORY_MAX = 1024 * 1024 * 1024, /* of one reading */
	CATALOG_RELATIONS_MAX = 2000000,
	CATALOG_SOURCES_MAX = 8000000,
	CATALOG_TYPES_MAX = 4000000,
};

/* Runs until master dies or a signal ends it; the exit status. */
int catalog_main(struct birth *b);

#endif
