/*
 * token_parse.c - a token's three parts, and its header.
 *
 * The rule: what is not in the one plain form is refused, and so is a header
 * that asks for anything else than a key that we have already: it comes from
 * whoever made the token up.  Trusts nothing.
 */
#include <stdarg.h>
#include <stdio.h>

#include "common/base64url.h"
#include "common/jwks.h"
#include "common/wire.h"
#include "master/verifier/token_inner.h"

enum { PARTS = 3 };

struct shown
token_show(struct text word)
{
	struct shown s = {""};
	size_t i;

	for (i = 0; i < word.len && i < sizeof(s.text) - 1; i++)
		s.text[i] = word.at[i] > ' ' && word.at[i] < 0x7f &&
			word.at[i] != '`'
		    ? word.at[i]
		    : '?';
	return s;
}

bool
token_refuse(struct outcome *out, const char *format, ...)
{
	va_list list;

	out->result = OUTCOME_NO;
	va_start(list, format);
	vsnprintf(out->reason, sizeof(out->reason), format, list);
	va_end(list);
	return false;
}

bool
token_fail(struct outcome *out, const char *reason)
{
	out->result = OUTCOME_FAILED;
	snprintf(out->reason, sizeof(out->reason), "%s", reason);
	return false;
}

bool
token_string(const json_t *object, const char *name, struct text *out)
{
	const json_t *value = json_object_get(object, name);

	*out = (struct text){
	    json_string_value(value), json_string_length(value)};
	return out->len > 0;
}

/* --- the form ------------------------------------------------------------- */

static bool
parts_cut(struct text compact, struct text parts[PARTS])
{
	struct wire rest = wire_of(compact.at, compact.len);
	size_t i, n;

	for (i = 0; i < PARTS; i++) {
		for (n = 0; n < rest.left && rest.at[n] != '.'; n++)
			continue;
		parts[i].len = n;
		parts[i].at = (const char *)wire_take(&rest, n);
		if (n == 0 || (i < PARTS - 1 && wire_u8(&rest) != '.'))
			return false;
	}
	return rest.left == 0 && !rest.bad;
}

/* An object, or NULL: `why` has it. */
static json_t *
object_read(struct text part, const char *what, struct outcome *why)
{
	uint8_t bytes[TOKEN_BYTES_MAX];
	json_t *object = NULL;
	json_error_t wrong;
	size_t len;

	if (base64url_decode(part, bytes, sizeof(bytes), &len) != ERR_NONE) {
		token_refuse(why, "its %s is not base64url", what);
		return NULL;
	}
	object = json_loadb(
	    (const char *)bytes, len, JSON_REJECT_DUPLICATES, &wrong);
	explicit_bzero(bytes, len);
	if (object == NULL &&
	    json_error_code(&wrong) == json_error_duplicate_key)
		token_refuse(why, "its %s says one thing twice", what);
	else if (object == NULL)
		token_refuse(why, "its %s is not JSON", what);
	if (object != NULL && !json_is_object(object)) {
		token_refuse(why, "its %s is not an object", what);
		json_decref(object);
		object = NULL;
	}
	return object;
}

static bool
signature_read(struct text part, size_t *len_out, struct outcome *why)
{
	uint8_t bytes[JWKS_RSA_BITS_MAX / 8];

	return base64url_decode(part, bytes, sizeof(bytes), len_out) ==
	    ERR_NONE ||
	    token_refuse(why, "its signature is too long or not base64url");
}

/* --- the header ----------------------------------------------------------- */

/* `crit` asks for what we do not do; the keys and addresses of keys are the
 * word of whoever made the token; the rest would make other bytes of it. */
static bool
header_is_plain(const json_t *header, struct outcome *why)
{
	static const char *const strange[] = {
	    "crit", "jwk", "jku", "x5c", "x5u", "zip", "b64", "enc", "epk"};
	size_t i;

	for (i = 0; i < sizeof(strange) / sizeof(*strange); i++) {
		if (json_object_get(header, strange[i]) != NULL)
			return token_refuse(
			    why, "its header has `%s`", strange[i]);
	}
	return true;
}

static bool
algorithm_read(const json_t *header, uint64_t *out, struct outcome *why)
{
	struct text word;

	if (!token_string(header, "alg", &word))
		return token_refuse(why, "its header has no `alg`");
	*out = token_algorithm_bit(word);
	return *out != 0 ||
	    token_refuse(why, "signatures by `%s` are not accepted",
		token_show(word).text);
}

/* ECDSA and EdDSA have one length each: RFC 7518, 3.4; RFC 8032, 5.1.6. */
static bool
signature_has_length(const struct web_token *t, struct outcome *why)
{
	size_t len = 0;

	if (t->algorithm == TOKEN_ES256 || t->algorithm == TOKEN_EDDSA)
		len = 64;
	else if (t->algorithm == TOKEN_ES384)
		len = 96;
	return len == 0 || t->signature_len == len ||
	    token_refuse(why, "a signature of %zu bytes is none of its `alg`",
		t->signature_len);
}

static bool
header_read(struct web_token *t, struct outcome *why)
{
	const json_t *kid = json_object_get(t->header, "kid");

	if (!header_is_plain(t->header, why) ||
	    !algorithm_read(t->header, &t->algorithm, why) ||
	    !signature_has_length(t, why))
		return false;
	if (kid != NULL &&
	    (!token_string(t->header, "kid", &t->kid) ||
		t->kid.len > JWKS_KID_MAX))
		return token_refuse(why,
		    "its `kid` is not a string of 1 to %d bytes", JWKS_KID_MAX);
	return true;
}

bool
token_parse(struct text compact, struct web_token *out, struct outcome *why)
{
	struct text parts[PARTS];

	*out = (struct web_token){0};
	if (compact.len > TOKEN_BYTES_MAX)
		return token_refuse(
		    why, "longer than %d bytes", TOKEN_BYTES_MAX);
	if (!parts_cut(compact, parts))
		return token_refuse(why, "not a signed token of three parts");
	out->header = object_read(parts[0], "header", why);
	if (out->header == NULL)
		return false;
	out->claims = object_read(parts[1], "payload", why);
	if (out->claims == NULL ||
	    !signature_read(parts[2], &out->signature_len, why) ||
	    !header_read(out, why))
		return false;
	return token_string(out->claims, "iss", &out->issuer) ||
	    token_refuse(why, "it names no issuer");
}

void
token_clear(struct web_token *t)
{
	json_decref(t->header);
	json_decref(t->claims);
	*t = (struct web_token){0};
}

/* --- its kind ------------------------------------------------------------- */

/* RFC 7515, 4.1.9: letters of either case, and "application/" may be left
 * out. */
static bool
type_is(struct text type, struct text wanted)
{
	static const struct text prefix = {"application/", 12};

	if (type.len > prefix.len &&
	    text_is_folded((struct text){type.at, prefix.len}, prefix))
		type = (struct text){
		    type.at + prefix.len, type.len - prefix.len};
	return text_is_folded(type, wanted);
}

bool
token_type_fits(const struct web_token *t, const struct token_issuer *issuer,
    struct outcome *why)
{
	const json_t *written = json_object_get(t->header, "typ");
	bool is_fine = written == NULL && issuer->required_type.len == 0;
	struct text type;

	if (token_string(t->header, "typ", &type))
		is_fine = issuer->required_type.len > 0
		    ? type_is(type, issuer->required_type)
		    : type_is(type, TEXT("JWT")) ||
			type_is(type, TEXT("at+jwt"));
	return is_fine ||
	    token_refuse(why, "its `typ` is not that of the issuer's tokens: "
			      "`%s`", token_show(type).text);
}
