/* links: common/policy_codec.c common/codec.c common/wire.c common/policy_compile.c common/classify.c common/class_reader.c common/class_catch.c common/class_names.c common/class_settle.c common/class_rules.c common/class_file.c common/class_need.c common/canonical.c common/flat.c common/words.c common/lexer.c common/lexer_number.c common/lexer_string.c common/lexer_unicode.c common/regex.c common/vocab.c common/mask.c common/mask_shape.c common/mask_nest.c common/mask_array.c common/mask_row.c common/mask_range.c common/mask_keyed.c common/siphash.c common/mask_number.c common/mask_numeric.c common/mask_other.c common/mask_part.c common/mask_script.c common/mask_text.c common/mask_time.c common/detect.c common/detect_bank.c common/detect_mask.c common/detect_net.c common/detect_person.c common/err.c common/arena.c common/text.c common/yaml.c common/diagnostics.c */
/*
 * fuzz_policy_decode.c - a published form somebody has damaged.
 */
#include <stdlib.h>

#include "common/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	/* The head is a hash no fuzzer finds: give it the right one. */
	static const struct policy nothing;
	struct arena *a = arena_new(64 * 1024 * 1024);
	struct policy p;
	struct text head, form;
	char *whole;

	if (policy_encode(&nothing, a, &head) != ERR_NONE)
		abort();
	/* An empty policy's body is 11 zeros: six texts, three lists and the
	 * two of the identities are empty, and there is no example. */
	head.len -= 11;
	whole = arena_alloc(a, head.len + len);
	memcpy(whole, head.at, head.len);
	if (len > 0)
		memcpy(whole + head.len, bytes, len);
	if (policy_decode((struct text){whole, head.len + len}, a, &p) ==
	    ERR_NONE) {
		if (policy_encode(&p, a, &form) != ERR_NONE)
			abort();
		policy_close(&p);
	}
	arena_free(a);
	return 0;
}
