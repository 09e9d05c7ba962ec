/*
 * tls_key.c - a provider whose keys only the broker can use.
 *
 * The rule: what is to be signed goes to the broker as it stands, so that the
 * broker sees that it is a handshake's and nothing else.  Everything else
 * about a key is asked of its public half, which OpenSSL's own provider has.
 */
#include "common/tls_key.h"

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/provider.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <string.h>

#include "common/broker_channel.h"

#define PROVIDER     "sallyport"
#define PARAM_PUBLIC "sallyport-public" /* SubjectPublicKeyInfo, DER */
#define PARAM_SIDE   "sallyport-side"
#define PARAM_PLACE  "sallyport-place"

struct remote_key {
	const char *type; /* "RSA", "EC" */
	EVP_PKEY *public; /* of the default provider; NULL: nothing yet */
	bool is_ours;	  /* the broker has the private half */
	uint32_t side, place;
};

struct signing {
	const struct remote_key *key;
	uint32_t digest; /* enum broker_digest */
	bool is_pss;
};

static int channel = -1;

void
tls_key_ask(int broker_channel)
{
	channel = broker_channel;
}

/* --- keys ----------------------------------------------------------------- */

static void *
key_new(const char *type)
{
	struct remote_key *k = OPENSSL_zalloc(sizeof(*k));

	if (k != NULL)
		k->type = type;
	return k;
}

static void *
key_new_rsa(void *provider)
{
	(void)provider;
	return key_new("RSA");
}

static void *
key_new_ec(void *provider)
{
	(void)provider;
	return key_new("EC");
}

static void
key_free(void *key)
{
	struct remote_key *k = key;

	EVP_PKEY_free(k->public);
	OPENSSL_free(k);
}

static int
key_has(const void *key, int selection)
{
	const struct remote_key *k = key;

	return k->public != NULL &&
	       (k->is_ours ||
		   (selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) == 0);
}

static int
key_match(const void *a, const void *b, int selection)
{
	const struct remote_key *ka = a, *kb = b;

	(void)selection; /* the whole public half, whatever is asked */
	return ka->public != NULL && kb->public != NULL &&
	       EVP_PKEY_eq(ka->public, kb->public) == 1;
}

static bool
key_import_ours(
    struct remote_key *k, const OSSL_PARAM *der, const OSSL_PARAM params[])
{
	const OSSL_PARAM *side = OSSL_PARAM_locate_const(params, PARAM_SIDE);
	const OSSL_PARAM *place = OSSL_PARAM_locate_const(params, PARAM_PLACE);
	const void *bytes;
	const unsigned char *at;
	size_t len;

	if (side == NULL || place == NULL ||
	    OSSL_PARAM_get_uint32(side, &k->side) != 1 ||
	    OSSL_PARAM_get_uint32(place, &k->place) != 1 ||
	    OSSL_PARAM_get_octet_string_ptr(der, &bytes, &len) != 1)
		return false;
	at = bytes;
	k->public = d2i_PUBKEY(NULL, &at, (long)len);
	k->is_ours = k->public != NULL && EVP_PKEY_is_a(k->public, k->type);
	return k->is_ours;
}

/* A public key of another provider, brought here to be compared. */
static bool
key_import_public(struct remote_key *k, const OSSL_PARAM params[])
{
	EVP_PKEY_CTX *c =
	    EVP_PKEY_CTX_new_from_name(NULL, k->type, "provider=default");
	OSSL_PARAM *copy = OSSL_PARAM_dup(params);
	bool is_done =
	    c != NULL && copy != NULL && EVP_PKEY_fromdata_init(c) == 1 &&
	    EVP_PKEY_fromdata(c, &k->public, EVP_PKEY_PUBLIC_KEY, copy) == 1;

	OSSL_PARAM_free(copy);
	EVP_PKEY_CTX_free(c);
	return is_done;
}

static int
key_import(void *key, int selection, const OSSL_PARAM params[])
{
	struct remote_key *k = key;
	const OSSL_PARAM *der = OSSL_PARAM_locate_const(params, PARAM_PUBLIC);

	(void)selection;
	if (k->public != NULL)
		return 0;
	return der != NULL ? key_import_ours(k, der, params)
			   : key_import_public(k, params);
}

/* The private half cannot leave: it is not here. */
static int
key_export(void *key, int selection, OSSL_CALLBACK *take, void *context)
{
	const struct remote_key *k = key;

	if (k->public == NULL ||
	    (selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) != 0)
		return 0;
	return EVP_PKEY_export(k->public, EVP_PKEY_PUBLIC_KEY, take, context);
}

static const OSSL_PARAM *
key_transfer_types(int selection)
{
	static const OSSL_PARAM types[] = {
	    OSSL_PARAM_octet_string(PARAM_PUBLIC, NULL, 0), OSSL_PARAM_END};

	(void)selection;
	return types;
}

static int
key_get_params(void *key, OSSL_PARAM params[])
{
	const struct remote_key *k = key;

	return k->public != NULL && EVP_PKEY_get_params(k->public, params);
}

static const OSSL_PARAM *
key_gettable_params(void *provider)
{
	static const OSSL_PARAM types[] = {
	    OSSL_PARAM_int(OSSL_PKEY_PARAM_BITS, NULL),
	    OSSL_PARAM_int(OSSL_PKEY_PARAM_SECURITY_BITS, NULL),
	    OSSL_PARAM_int(OSSL_PKEY_PARAM_MAX_SIZE, NULL),
	    OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, NULL, 0),
	    OSSL_PARAM_END};

	(void)provider;
	return types;
}

static const char *
operation_name_rsa(int operation)
{
	(void)operation;
	return "RSA";
}

static const char *
operation_name_ec(int operation)
{
	return operation == OSSL_OP_SIGNATURE ? "ECDSA" : "EC";
}

/* --- signatures ----------------------------------------------------------- */

static void *
signing_new(void *provider, const char *properties)
{
	(void)provider;
	(void)properties;
	return OPENSSL_zalloc(sizeof(struct signing));
}

static void
signing_free(void *signing)
{
	OPENSSL_free(signing);
}

static void *
signing_copy(void *signing)
{
	return OPENSSL_memdup(signing, sizeof(struct signing));
}

static uint32_t
digest_of(const char *name)
{
	static const char *const names[BROKER_DIGESTS] = {
	    [BROKER_SHA256] = "SHA2-256",
	    [BROKER_SHA384] = "SHA2-384",
	    [BROKER_SHA512] = "SHA2-512",
	};
	EVP_MD *digest = name == NULL ? NULL : EVP_MD_fetch(NULL, name, NULL);
	uint32_t i, found = 0;

	for (i = 1; i < BROKER_DIGESTS && digest != NULL; i++) {
		if (EVP_MD_is_a(digest, names[i]))
			found = i;
	}
	EVP_MD_free(digest);
	return found;
}

static int
signing_set_params(void *signing, const OSSL_PARAM params[])
{
	struct signing *s = signing;
	const OSSL_PARAM *p = params == NULL
				  ? NULL
				  : OSSL_PARAM_locate_const(
					params, OSSL_SIGNATURE_PARAM_PAD_MODE);
	int mode = 0;

	if (p == NULL)
		return 1; /* what is signed with is the handshake's affair */
	if (p->data_type == OSSL_PARAM_UTF8_STRING)
		s->is_pss = strcmp(p->data, OSSL_PKEY_RSA_PAD_MODE_PSS) == 0;
	else if (OSSL_PARAM_get_int(p, &mode) == 1)
		s->is_pss = mode == RSA_PKCS1_PSS_PADDING;
	else
		return 0;
	return 1;
}

static const OSSL_PARAM *
signing_settable_params(void *signing, void *provider)
{
	static const OSSL_PARAM types[] = {
	    OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PAD_MODE, NULL, 0),
	    OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PSS_SALTLEN, NULL, 0),
	    OSSL_PARAM_END};

	(void)signing;
	(void)provider;
	return types;
}

static int
signing_start(
    void *signing, const char *digest, void *key, const OSSL_PARAM params[])
{
	struct signing *s = signing;

	s->key = key;
	s->digest = digest_of(digest);
	s->is_pss = false;
	return s->digest != 0 && s->key->is_ours &&
	       signing_set_params(s, params);
}

/* A client before TLS 1.3 signs all that was said, which may be long: the
 * broker then takes its digest. */
static bool
request_hash(struct broker_request *r, const void *bytes, size_t len)
{
	static const char *const names[BROKER_DIGESTS] = {
	    [BROKER_SHA256] = "SHA256",
	    [BROKER_SHA384] = "SHA384",
	    [BROKER_SHA512] = "SHA512",
	};
	size_t digest_len = 0;

	r->is_hashed = 1;
	if (EVP_Q_digest(NULL, names[r->digest], NULL, bytes, len,
		(unsigned char *)r->auth, &digest_len) != 1)
		return false;
	r->auth_len = (uint32_t)digest_len;
	return true;
}

static bool
request_fill(struct broker_request *r, const struct signing *s,
    const unsigned char *bytes, size_t len)
{
	static const char tls_1_3[8] = "        ";
	bool is_listener = s->key->side == TLS_SIDE_LISTENER;

	*r = (struct broker_request){
	    .kind = is_listener ? BROKER_LISTENER_SIGN : BROKER_UPSTREAM_SIGN,
	    .place = s->key->place,
	    .digest = s->digest,
	    .is_pss = s->is_pss};
	if (!is_listener && (len < sizeof(tls_1_3) ||
				memcmp(bytes, tls_1_3, sizeof(tls_1_3)) != 0))
		return request_hash(r, bytes, len);
	if (len > sizeof(r->auth))
		return false;
	memcpy(r->auth, bytes, len);
	r->auth_len = (uint32_t)len;
	return true;
}

static int
signing_sign(void *signing, unsigned char *out, size_t *len_out, size_t size,
    const unsigned char *bytes, size_t len)
{
	const struct signing *s = signing;
	struct broker_request request;
	struct broker_reply reply;

	*len_out = (size_t)EVP_PKEY_get_size(s->key->public);
	if (out == NULL)
		return 1;
	if (channel < 0 || !request_fill(&request, s, bytes, len) ||
	    broker_ask(channel, &request, &reply) != ERR_NONE ||
	    reply.signed_len == 0 || reply.signed_len > size)
		return 0;
	memcpy(out, reply.signed_by_key, reply.signed_len);
	*len_out = reply.signed_len;
	return 1;
}

/* --- the provider --------------------------------------------------------- */

#define ENTRY(id, function)                                                    \
	{                                                                      \
		id, (void (*)(void))(function)                                 \
	}

#define KEY_FUNCTIONS(new_function, name_function)                             \
	{                                                                      \
		ENTRY(OSSL_FUNC_KEYMGMT_NEW, new_function),                    \
		    ENTRY(OSSL_FUNC_KEYMGMT_FREE, key_free),                   \
		    ENTRY(OSSL_FUNC_KEYMGMT_HAS, key_has),                     \
		    ENTRY(OSSL_FUNC_KEYMGMT_MATCH, key_match),                 \
		    ENTRY(OSSL_FUNC_KEYMGMT_IMPORT, key_import),               \
		    ENTRY(OSSL_FUNC_KEYMGMT_IMPORT_TYPES, key_transfer_types), \
		    ENTRY(OSSL_FUNC_KEYMGMT_EXPORT, key_export),               \
		    ENTRY(OSSL_FUNC_KEYMGMT_EXPORT_TYPES, key_transfer_types), \
		    ENTRY(OSSL_FUNC_KEYMGMT_GET_PARAMS, key_get_params),       \
		    ENTRY(OSSL_FUNC_KEYMGMT_GETTABLE_PARAMS,                   \
			key_gettable_params),                                  \
		    ENTRY(OSSL_FUNC_KEYMGMT_QUERY_OPERATION_NAME,              \
			name_function),                                        \
		    {0, NULL},                                                 \
	}

static const OSSL_DISPATCH rsa_functions[] =
    KEY_FUNCTIONS(key_new_rsa, operation_name_rsa);
static const OSSL_DISPATCH ec_functions[] =
    KEY_FUNCTIONS(key_new_ec, operation_name_ec);

static const OSSL_DISPATCH signature_functions[] = {
    ENTRY(OSSL_FUNC_SIGNATURE_NEWCTX, signing_new),
    ENTRY(OSSL_FUNC_SIGNATURE_FREECTX, signing_free),
    ENTRY(OSSL_FUNC_SIGNATURE_DUPCTX, signing_copy),
    ENTRY(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_INIT, signing_start),
    ENTRY(OSSL_FUNC_SIGNATURE_DIGEST_SIGN, signing_sign),
    ENTRY(OSSL_FUNC_SIGNATURE_SET_CTX_PARAMS, signing_set_params),
    ENTRY(OSSL_FUNC_SIGNATURE_SETTABLE_CTX_PARAMS, signing_settable_params),
    {0, NULL},
};

#define PROPERTIES "provider=" PROVIDER

static const OSSL_ALGORITHM keys[] = {
    {"RSA:rsaEncryption", PROPERTIES, rsa_functions, NULL},
    {"EC:id-ecPublicKey", PROPERTIES, ec_functions, NULL},
    {NULL, NULL, NULL, NULL},
};

static const OSSL_ALGORITHM signatures[] = {
    {"RSA:rsaEncryption", PROPERTIES, signature_functions, NULL},
    {"ECDSA", PROPERTIES, signature_functions, NULL},
    {NULL, NULL, NULL, NULL},
};

static const OSSL_ALGORITHM *
provider_query(void *provider, int operation, int *may_not_cache)
{
	(void)provider;
	*may_not_cache = 0;
	return operation == OSSL_OP_KEYMGMT	? keys
	       : operation == OSSL_OP_SIGNATURE ? signatures
						: NULL;
}

static int
provider_init(const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *in,
    const OSSL_DISPATCH **out, void **provider)
{
	static const OSSL_DISPATCH functions[] = {
	    ENTRY(OSSL_FUNC_PROVIDER_QUERY_OPERATION, provider_query),
	    {0, NULL},
	};
	static int self; /* it has no state, but must be something */

	(void)handle;
	(void)in;
	*out = functions;
	*provider = &self;
	return 1;
}

/* The default provider comes first: whoever asks for RSA without saying whose
 * is to get that one. */
enum err
tls_key_prepare(void)
{
	static OSSL_PROVIDER *standard, *remote; /* kept to the end */

	if (remote != NULL)
		return ERR_NONE;
	if (standard == NULL)
		standard = OSSL_PROVIDER_load(NULL, "default");
	if (standard == NULL ||
	    OSSL_PROVIDER_add_builtin(NULL, PROVIDER, provider_init) != 1)
		return ERR_SYSTEM;
	remote = OSSL_PROVIDER_load(NULL, PROVIDER);
	return remote != NULL ? ERR_NONE : ERR_SYSTEM;
}

static const char *
type_of(const EVP_PKEY *key)
{
	return EVP_PKEY_is_a(key, "RSA")  ? "RSA"
	       : EVP_PKEY_is_a(key, "EC") ? "EC"
					  : NULL;
}

enum err
tls_key_remote(
    X509 *certificate, enum tls_side side, uint32_t place, EVP_PKEY **out)
{
	EVP_PKEY *public = X509_get0_pubkey(certificate);
	const char *type = public == NULL ? NULL : type_of(public);
	unsigned char *der = NULL;
	uint32_t of_side = side;
	int len = type == NULL ? -1 : i2d_PUBKEY(public, &der);
	OSSL_PARAM params[] = {OSSL_PARAM_octet_string(PARAM_PUBLIC, der,
				   len > 0 ? (size_t)len : 0),
	    OSSL_PARAM_uint32(PARAM_SIDE, &of_side),
	    OSSL_PARAM_uint32(PARAM_PLACE, &place), OSSL_PARAM_END};
	EVP_PKEY_CTX *c = NULL;
	enum err e = ERR_UNSUPPORTED;

	*out = NULL;
	if (len > 0)
		c = EVP_PKEY_CTX_new_from_name(NULL, type, PROPERTIES);
	if (c != NULL && EVP_PKEY_fromdata_init(c) == 1 &&
	    EVP_PKEY_fromdata(c, out, EVP_PKEY_KEYPAIR, params) == 1)
		e = ERR_NONE;
	EVP_PKEY_CTX_free(c);
	OPENSSL_free(der);
	return e;
}
