/*
 * scratch.h - a folder of a test's own, gone when the test ends well.
 */
#ifndef SALLYPORT_TESTS_SCRATCH_H
#define SALLYPORT_TESTS_SCRATCH_H

#include <check.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char scratch_folder[64];

static inline void
scratch_make(void)
{
	strcpy(scratch_folder, "/tmp/sallyport-unit-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(scratch_folder));
}

static inline int
scratch_remove_one(const char *path, const struct stat *st, int kind,
    struct FTW *walk)
{
	(void)st;
	(void)kind;
	(void)walk;
	return remove(path);
}

static inline void
scratch_remove(void)
{
	nftw(scratch_folder, scratch_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* The path of a name in the folder; static, good until the next but three. */
static inline const char *
scratch_path(const char *name)
{
	static char paths[4][256];
	static unsigned turn;
	char *path = paths[turn++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", scratch_folder, name);
	return path;
}

/* Write a file there; its path. */
static inline const char *
scratch_write(const char *name, const char *content)
{
	const char *path = scratch_path(name);
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(content, file), 0);
	ck_assert_int_eq(fclose(file), 0);
	return path;
}

#endif
