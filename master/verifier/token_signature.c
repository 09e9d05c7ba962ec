/*
 * token_signature.c - is a token signed by this key's owner?
 *
 * The rule: the library is given one key and told the algorithm; nothing in
 * a token chooses either.  The key's kind was checked to be the algorithm's.
 */
#include <rhonabwy.h>

#include "master/verifier/token_inner.h"

/* In the order of TOKEN_ALGORITHMS. */
static const struct {
	uint64_t algorithm;
	jwa_alg jwa;
} algorithms[] = {
    {TOKEN_RS256, R_JWA_ALG_RS256},
    {TOKEN_RS384, R_JWA_ALG_RS384},
    {TOKEN_RS512, R_JWA_ALG_RS512},
    {TOKEN_PS256, R_JWA_ALG_PS256},
    {TOKEN_ES256, R_JWA_ALG_ES256},
    {TOKEN_ES384, R_JWA_ALG_ES384},
    {TOKEN_EDDSA, R_JWA_ALG_EDDSA},
};

_Static_assert(sizeof(algorithms) / sizeof(*algorithms) ==
	TOKEN_ALGORITHM_COUNT,
    "each has its number in the library");

void *
signature_key_new(const char *json)
{
	jwk_t *key = NULL;

	if (r_jwk_init(&key) != RHN_OK)
		return NULL;
	if (r_jwk_import_from_json_str(key, json) == RHN_OK &&
	    (r_jwk_key_type(key, NULL, R_FLAG_IGNORE_REMOTE) &
		R_KEY_TYPE_PUBLIC) != 0)
		return key;
	r_jwk_free(key);
	return NULL;
}

void
signature_key_free(void *key)
{
	r_jwk_free(key);
}

static bool
is_algorithm(uint64_t algorithm, jwa_alg jwa)
{
	size_t i;

	for (i = 0; i < TOKEN_ALGORITHM_COUNT; i++) {
		if (algorithms[i].algorithm == algorithm)
			return algorithms[i].jwa == jwa;
	}
	return false;
}

bool
signature_fits(void *key, uint64_t algorithm, struct text compact)
{
	jws_t *signature = NULL;
	bool fits;

	if (r_jws_init(&signature) != RHN_OK)
		return false;
	fits = r_jws_advanced_compact_parsen(signature, compact.at,
		   compact.len, R_PARSE_NONE, R_FLAG_IGNORE_REMOTE) == RHN_OK &&
	    is_algorithm(algorithm, r_jws_get_alg(signature)) &&
	    r_jws_verify_signature(
		signature, key, R_FLAG_IGNORE_REMOTE) == RHN_OK;
	r_jws_free(signature);
	return fits;
}
