/*
 * porter_digest.c - SHA-256 of executables, remembered.
 *
 * One rule: what is remembered is of a file that cannot have changed since
 * without its times telling: one that was changed a moment ago is not.
 */
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "master/porter_inner.h"

enum {
	SETTLED_S = 2, /* times of files are no finer than a few ms */
	CHUNK = 64 * 1024
};

static bool
is_same_time(
    const struct statx_timestamp *a, const struct statx_timestamp *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool
is_unchanged(const struct statx *a, const struct statx *b)
{
	return file_is_same(a, b) && a->stx_size == b->stx_size &&
	    is_same_time(&a->stx_mtime, &b->stx_mtime) &&
	    is_same_time(&a->stx_ctime, &b->stx_ctime);
}

const char *
digest_known(struct porter *p, const struct statx *status)
{
	size_t i;

	for (i = 0; i < DIGESTS_MAX; i++) {
		struct digest *d = &p->digests[i];

		if (d->sha256[0] == '\0' || !is_unchanged(&d->of, status))
			continue;
		d->used = ++p->digest_clock;
		return d->sha256;
	}
	return NULL;
}

/* Over the one that was used longest ago. */
void
digest_remember(
    struct porter *p, const struct statx *status, const char *sha256)
{
	struct digest *oldest = &p->digests[0];
	size_t i;

	if (status->stx_ctime.tv_sec + SETTLED_S > unix_ms() / 1000)
		return;
	for (i = 1; i < DIGESTS_MAX; i++) {
		if (p->digests[i].used < oldest->used)
			oldest = &p->digests[i];
	}
	oldest->of = *status;
	oldest->used = ++p->digest_clock;
	snprintf(oldest->sha256, sizeof(oldest->sha256), "%s", sha256);
}

static bool
digest_feed(EVP_MD_CTX *c, int fd)
{
	static uint8_t chunk[CHUNK];
	ssize_t n;

	while ((n = read(fd, chunk, sizeof(chunk))) > 0) {
		if (EVP_DigestUpdate(c, chunk, (size_t)n) != 1)
			return false;
	}
	return n == 0;
}

bool
digest_make(int fd, char out[65])
{
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	uint8_t digest[32];
	unsigned i;
	bool is_made = c != NULL &&
	    EVP_DigestInit_ex(c, EVP_sha256(), NULL) == 1 &&
	    digest_feed(c, fd) && EVP_DigestFinal_ex(c, digest, NULL) == 1;

	EVP_MD_CTX_free(c);
	for (i = 0; i < sizeof(digest) && is_made; i++)
		snprintf(out + (size_t)2 * i, 3, "%02x", digest[i]);
	return is_made;
}
