/* links: master/verifier/token.c master/verifier/token_parse.c master/verifier/token_claims.c master/verifier/token_signature.c master/verifier/token_once.c master/errand.c common/jwks.c common/jwk_numbers.c common/token_read.c common/base64url.c common/wire.c common/yaml.c common/schema.c common/schema_scalar.c common/diagnostics.c common/arena.c common/text.c common/err.c common/parcel.c */
/*
 * Whatever bytes as a token: nobody is anybody by a signature that no key
 * made, and every refusal has a reason that is text. As claims that somebody
 * did sign: what they become is sound. As a set of keys: what is read can be
 * used.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/jwks.h"
#include "master/verifier/token_inner.h"

enum { NOW = 1800000000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct text audience = TEXT("sallyport");

static struct token_issuer issuer = {
    .issuer = TEXT("https://login.shop.example"),
    .audiences = &audience,
    .audience_count = 1,
    .user = TEXT("sub"),
    .agent = TEXT("act.sub"),
    .groups = TEXT("groups"),
    .algorithms = (1U << TOKEN_ALGORITHM_COUNT) - 1,
    .skew_s = 30,
};

static const char keys[] =
    "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"1\",\"x\":"
    "\"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4\",\"y\":"
    "\"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM\"}]}";

/* A file in memory, named by its path. */
static int
file_make(const void *bytes, size_t len, char path[64])
{
	int fd = memfd_create("keys", MFD_CLOEXEC);

	if (fd < 0 || write(fd, bytes, len) != (ssize_t)len)
		abort();
	snprintf(path, 64, "/proc/self/fd/%d", fd);
	return fd;
}

static struct tokens *
tokens_make(void)
{
	static struct identities ids = {
	    .issuers = &issuer, .issuer_count = 1};
	static const struct settings settings = {
	    .identities = "identities.yaml", .state = "/nowhere"};
	struct arena *a = arena_new(0);
	struct diagnostics *d = diagnostics_new(a);
	struct tokens *made;
	char path[64];
	int fd = file_make(keys, sizeof(keys) - 1, path);

	issuer.keys = text_of(path);
	if (tokens_load(&settings, &ids, a, d, &made) != ERR_NONE ||
	    diagnostics_count(d) > 0)
		abort();
	close(fd);
	return made;
}

static void
check_claims(struct text bytes)
{
	struct outcome out = {.kind = ERRAND_TOKEN, .result = OUTCOME_YES};
	json_t *claims = json_loadb(
	    bytes.at, bytes.len, JSON_REJECT_DUPLICATES, NULL);

	if (json_is_object(claims)) {
		bool is_fine = token_claims_read(claims, &issuer, NOW, &out);

		if (is_fine != (out.result == OUTCOME_YES) ||
		    is_fine != (out.reason[0] == '\0') ||
		    (is_fine && !outcome_is_sound(&out)))
			abort();
		if (is_fine && json_object_get(claims, "act") != NULL &&
		    (out.token.agent[0] == '\0' || out.token.chain[0] != '{'))
			abort();
	}
	json_decref(claims);
}

static void
check_keys(struct text bytes)
{
	struct arena *a = arena_new(64 * 1024 * 1024);
	struct diagnostics *d = diagnostics_new(a);
	struct jwks set;
	char path[64];
	size_t i;
	int fd = file_make(bytes.at, bytes.len, path);

	issuer.keys = text_of(path);
	if ((jwks_load(&issuer, "i.yaml", a, d, &set) == ERR_NONE) !=
	    (diagnostics_count(d) == 0))
		abort();
	for (i = 0; diagnostics_count(d) == 0 && i < set.count; i++) {
		void *key = signature_key_new(set.keys[i].json);

		if (key == NULL)
			abort();
		signature_key_free(key);
	}
	close(fd);
	arena_free(a);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct tokens *tokens;
	struct text bytes = {(const char *)data, size};
	struct outcome out = {.kind = ERRAND_TOKEN};
	size_t i;

	if (tokens == NULL)
		tokens = tokens_make();
	if (token_check(tokens, bytes, NOW, &out) != OUTCOME_NO ||
	    out.reason[0] == '\0')
		abort();
	for (i = 0; out.reason[i] != '\0'; i++) {
		if (out.reason[i] < ' ' || out.reason[i] > '~')
			abort();
	}
	check_claims(bytes);
	check_keys(bytes);
	return 0;
}
