/*
 * jwks.c - see jwks.h.
 *
 * The rule: a key is taken for what it says it is for, and for nothing else;
 * what could make a signature has no business in a set of public keys.
 * Trusts nothing in the file.
 */
#include "common/jwks.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>

#include "common/jwk_numbers.h"
#include "common/yaml.h"

/* One key of a file under way. */
struct place {
	struct diagnostics *diagnostics;
	const char *file;
	size_t index;
};

static void complain(const struct place *p, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void
complain(const struct place *p, const char *format, ...)
{
	char text[256];
	va_list list;

	va_start(list, format);
	vsnprintf(text, sizeof(text), format, list);
	va_end(list);
	diagnostics_add(
	    p->diagnostics, p->file, 0, 0, "keys[%zu]: %s", p->index, text);
}

/* A member that, if it is there, is a string; false after a complaint. */
static bool
string_get(const struct place *p, const json_t *key, const char *name,
    struct text *out)
{
	const json_t *value = json_object_get(key, name);

	*out = (struct text){NULL, 0};
	if (value == NULL)
		return true;
	if (!json_is_string(value)) {
		complain(p, "`%s` is not a string", name);
		return false;
	}
	*out = (struct text){
	    json_string_value(value), json_string_length(value)};
	return true;
}

/* Members of RFC 7518, 6.2.2, 6.3.2 and 6.4.1: none is in a public key. */
static bool
is_public(const struct place *p, const json_t *key)
{
	static const char *const private[] = {
	    "d", "p", "q", "dp", "dq", "qi", "oth", "k"};
	const char *kty = json_string_value(json_object_get(key, "kty"));
	size_t i;

	if (kty != NULL && strcmp(kty, "oct") == 0) {
		complain(p, "a symmetric key: who can check a token with one "
			    "can make one");
		return false;
	}
	for (i = 0; i < sizeof(private) / sizeof(*private); i++) {
		if (json_object_get(key, private[i]) == NULL)
			continue;
		complain(p, "a private key (`%s`): make a new one, and give "
			    "only its public half", private[i]);
		return false;
	}
	return true;
}

/* `use` and `key_ops` (RFC 7517, 4.2 and 4.3): may it check signatures? */
static bool
is_for_checking(const json_t *key, struct text use)
{
	const json_t *operations = json_object_get(key, "key_ops");
	const json_t *operation;
	size_t i;

	if (use.len > 0 && !text_is(use, TEXT("sig")))
		return false;
	json_array_foreach(operations, i, operation)
	{
		const char *word = json_string_value(operation);

		if (word != NULL && strcmp(word, "verify") == 0)
			return true;
	}
	return operations == NULL;
}

/* Fill `out`; its algorithms are 0 when the key is for something else. False
 * after a complaint. */
static bool
key_read(const struct place *p, const json_t *key, struct arena *a,
    struct jwk *out)
{
	struct text kid, alg, use;
	const char *wrong = NULL;

	if (!json_is_object(key)) {
		complain(p, "not an object");
		return false;
	}
	if (!is_public(p, key) || !string_get(p, key, "kid", &kid) ||
	    !string_get(p, key, "alg", &alg) ||
	    !string_get(p, key, "use", &use))
		return false;
	if (kid.len > JWKS_KID_MAX) {
		complain(p, "its `kid` is longer than %d bytes", JWKS_KID_MAX);
		return false;
	}
	out->kid = TEXT("");
	if (kid.len > 0)
		out->kid.at = arena_copy(a, kid.at, kid.len);
	out->kid.len = kid.len;
	out->json = jwk_numbers_read(key, a, &out->algorithms, &wrong);
	if (wrong != NULL) {
		complain(p, "%s", wrong);
		return false;
	}
	if (alg.len > 0)
		out->algorithms &= token_algorithm_bit(alg);
	if (!is_for_checking(key, use))
		out->algorithms = 0;
	return true;
}

static bool
kid_is_new(const struct place *p, const struct jwk *keys, struct text kid)
{
	size_t i;

	for (i = 0; i < p->index; i++) {
		if (kid.len > 0 && text_is(keys[i].kid, kid)) {
			complain(p, "its `kid` is that of keys[%zu], too", i);
			return false;
		}
	}
	return true;
}

/* Every key of the set; then those that are left out are gone. */
static enum err
keys_read(const struct token_issuer *issuer, const json_t *set,
    struct arena *a, struct diagnostics *d, struct jwks *out)
{
	size_t count = json_array_size(set), before = diagnostics_count(d), i;
	struct jwk *keys = arena_array(a, count, sizeof(*keys));

	if (keys == NULL)
		return ERR_MEMORY;
	for (i = 0; i < count; i++) {
		const struct place p = {d, issuer->keys.at, i};

		if (key_read(&p, json_array_get(set, i), a, &keys[i]) &&
		    (keys[i].kid.at == NULL || keys[i].json == NULL))
			return ERR_MEMORY;
		(void)kid_is_new(&p, keys, keys[i].kid);
	}
	out->keys = keys;
	for (i = 0; i < count; i++) {
		if ((keys[i].algorithms & issuer->algorithms) != 0)
			keys[out->count++] = keys[i];
	}
	if (out->count == 0 && diagnostics_count(d) == before)
		diagnostics_add(d, issuer->keys.at, 0, 0,
		    "no key in it is for a signature of the issuer's "
		    "`algorithms`");
	return diagnostics_count(d) == before ? ERR_NONE : ERR_INVALID;
}

static enum err
set_read(const struct token_issuer *issuer, struct text bytes,
    struct arena *a, struct diagnostics *d, struct jwks *out)
{
	json_error_t wrong;
	json_t *root = json_loadb(
	    bytes.at, bytes.len, JSON_REJECT_DUPLICATES, &wrong);
	const json_t *set = json_object_get(root, "keys");
	enum err e = ERR_INVALID;

	if (root == NULL)
		diagnostics_add(d, issuer->keys.at, (size_t)wrong.line,
		    (size_t)wrong.column, "not JSON: %s", wrong.text);
	else if (!json_is_array(set))
		diagnostics_add(d, issuer->keys.at, 0, 0,
		    "not a JSON Web Key Set: an object with a list `keys`");
	else if (json_array_size(set) > JWKS_KEYS_MAX)
		diagnostics_add(d, issuer->keys.at, 0, 0, "more than %d keys",
		    JWKS_KEYS_MAX);
	else
		e = keys_read(issuer, set, a, d, out);
	json_decref(root);
	return e;
}

enum err
jwks_load(const struct token_issuer *issuer, const char *file,
    struct arena *a, struct diagnostics *d, struct jwks *out)
{
	struct diagnostics *reading = diagnostics_new(a);
	struct text bytes;
	enum err e;

	*out = (struct jwks){NULL, 0};
	if (reading == NULL)
		return ERR_MEMORY;
	e = yaml_read_file(issuer->keys.at, a, reading, &bytes);
	/* told where the file is named: it may not even be there */
	if (diagnostics_count(reading) > 0)
		diagnostics_add(d, file, issuer->keys_line,
		    issuer->keys_column, "%s", diagnostics_line(reading, 0));
	if (e == ERR_NONE && bytes.len > JWKS_BYTES_MAX) {
		diagnostics_add(d, file, issuer->keys_line,
		    issuer->keys_column, "%s: longer than 1 MiB",
		    issuer->keys.at);
		e = ERR_INVALID;
	}
	return e == ERR_NONE ? set_read(issuer, bytes, a, d, out) : e;
}

enum err
jwks_check(const struct identities *ids, const char *file, struct arena *a,
    struct diagnostics *d)
{
	enum err first = ERR_NONE, e;
	struct jwks keys;
	size_t i;

	for (i = 0; i < ids->issuer_count; i++) {
		e = jwks_load(&ids->issuers[i], file, a, d, &keys);
		if (first == ERR_NONE)
			first = e;
	}
	return first;
}
