/* links: common/scram.c common/hmac.c common/saslprep.c common/text.c common/err.c */
/*
 * SCRAM's texts: verifiers and base64.  One value has one spelling, and a
 * proof that nobody made is not right.
 */
#include <stdlib.h>

#include "common/scram.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text text = {(const char *)data, size};
	struct scram_verifier v;
	uint8_t bytes[4096], proof[SCRAM_KEY_LEN] = {0};
	uint8_t signature[SCRAM_KEY_LEN];
	char again[8192];
	bool is_right = true;
	size_t len;

	if (base64_decode(text, bytes, sizeof(bytes), &len) == ERR_NONE &&
	    (base64_encode(bytes, len, again) != size ||
		memcmp(again, data, size) != 0))
		abort();
	if (scram_verifier_parse(text, &v) != ERR_NONE)
		return 0;
	if (v.iterations == 0 || v.iterations > SCRAM_ITERATIONS_MAX ||
	    v.salt_len == 0 || v.salt_len > SCRAM_SALT_MAX)
		abort();
	if (scram_check(&v, text, proof, &is_right, signature) != ERR_NONE ||
	    is_right)
		abort();
	return 0;
}
