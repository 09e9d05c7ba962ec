/* links: master/verifier/transcript.c master/verifier/signature.c master/verifier/certificate_names.c common/certificate_name.c common/slot.c common/wire.c common/text.c common/arena.c common/err.c */
/*
 * A handshake from a worker: taken apart, the certificates in it read, the
 * signature looked at.  What is taken is all there is, in its order; names of
 * a certificate are spelled as identities.yaml's are.
 */
#include <openssl/x509.h>
#include <stdlib.h>

#include "common/certificate_name.h"
#include "common/wire.h"
#include "master/verifier/certificate_names.h"
#include "master/verifier/signature.h"
#include "master/verifier/transcript.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
names_examine(const struct certificate_facts *f)
{
	struct wire w = wire_of(f->names, f->names_len);
	char again[CERTIFICATE_NAME_MAX];
	uint32_t i;

	if (f->names_len > sizeof(f->names))
		abort();
	for (i = 0; i < f->name_count; i++) {
		struct text name = wire_cstring(&w);

		if (certificate_name_read(name, again) != NULL ||
		    !text_is(name, text_of(again)))
			abort();
	}
	if (wire_end(&w) != ERR_NONE || f->name_count == 0 ||
	    f->not_after <= 0)
		abort();
}

static void
certificate_examine(const struct transcript *t, struct text der, bool is_own)
{
	static struct certificate_facts facts;
	const unsigned char *at = (const unsigned char *)der.at;
	X509 *x = d2i_X509(NULL, &at, (long)der.len);
	uint8_t room[TRANSCRIPT_CONTENT_MAX];
	struct text content;

	if (x == NULL)
		return;
	if (certificate_facts_read(x, &facts) == NULL)
		names_examine(&facts);
	if (is_own && X509_get0_pubkey(x) != NULL &&
	    transcript_content(t, room, &content))
		(void)signature_check(X509_get0_pubkey(x), t->version,
		    t->client_scheme, content, t->client_signature);
	X509_free(x);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text parcel = {(const char *)data, size};
	struct transcript t;
	size_t i;

	if (transcript_read(parcel, &t) != NULL)
		return 0;
	/* a header, what came before, the last message: nothing between */
	if (HANDSHAKE_HEAD + t.before.len + 4 + 4 + t.client_signature.len !=
		size ||
	    t.count == 0 || t.count > TLS_CHAIN_MAX ||
	    t.first_hello.len >= t.before.len)
		abort();
	for (i = 0; i < t.count; i++)
		certificate_examine(&t, t.certificates[i], i == 0);
	return 0;
}
