/*
 * token.c - whose token it is, and whether to believe it.
 *
 * The rule: the issuer that a token names chooses among the entries, the
 * entry's own file has the key, and the key says what it may check.  Nothing
 * but `iss`, `kid` and `alg` is looked at before the signature is known to
 * fit; those three only choose, and never add.
 */
#include <errno.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/jwks.h"
#include "master/verifier/token_inner.h"
#include "master/verifier/token_once.h"

struct key {
	const struct jwk *jwk;
	void *ready; /* of token_signature.c */
};

struct issuer {
	const struct token_issuer *entry;
	struct key *keys;
	size_t key_count;
	bool is_usable; /* its keys were read */
};

struct tokens {
	struct issuer *issuers;
	size_t count;
	struct once *once; /* NULL: no issuer asks for it, or not usable */
};

/* --- loading -------------------------------------------------------------- */

static enum err
keys_prepare(struct issuer *issuer, const struct jwks *set, struct arena *a,
    struct diagnostics *d)
{
	size_t i;

	issuer->keys = arena_array(a, set->count, sizeof(*issuer->keys));
	if (issuer->keys == NULL)
		return ERR_MEMORY;
	for (i = 0; i < set->count; i++) {
		struct key *key = &issuer->keys[i];

		key->jwk = &set->keys[i];
		key->ready = signature_key_new(key->jwk->json);
		issuer->key_count = i + 1;
		if (key->ready != NULL)
			continue;
		diagnostics_add(d, issuer->entry->keys.at, 0, 0,
		    "key kid=%s cannot be used",
		    token_show(key->jwk->kid).text);
		return ERR_INVALID;
	}
	return ERR_NONE;
}

static enum err
issuer_load(struct issuer *issuer, const char *file, struct arena *a,
    struct diagnostics *d)
{
	struct jwks set;
	enum err e = jwks_load(issuer->entry, file, a, d, &set);

	if (e == ERR_NONE)
		e = keys_prepare(issuer, &set, a, d);
	issuer->is_usable = e == ERR_NONE;
	return e == ERR_MEMORY ? e : ERR_NONE;
}

/* The memory of what was used, if any issuer asks for it. */
static enum err
once_load(struct tokens *t, const struct settings *s, struct arena *a,
    struct diagnostics *d)
{
	const char *path = arena_printf(a, "%s/tokens", s->state);
	bool is_asked_for = false;
	size_t i;
	enum err e;

	for (i = 0; i < t->count; i++)
		is_asked_for |= t->issuers[i].entry->is_once;
	if (path == NULL)
		return ERR_MEMORY;
	if (!is_asked_for)
		return ERR_NONE;
	e = once_open(path, &t->once);
	if (e != ERR_NONE)
		diagnostics_add(d, path, 0, 0, "%s",
		    e == ERR_SYSTEM ? strerror(errno) : "not a file of ours");
	return e == ERR_MEMORY ? e : ERR_NONE;
}

enum err
tokens_load(const struct settings *s, const struct identities *ids,
    struct arena *a, struct diagnostics *d, struct tokens **out)
{
	struct tokens *t = arena_alloc(a, sizeof(*t));
	size_t i;
	enum err e;

	*out = t;
	if (t == NULL)
		return ERR_MEMORY;
	t->issuers = arena_array(a, ids->issuer_count, sizeof(*t->issuers));
	if (t->issuers == NULL)
		return ERR_MEMORY;
	for (i = 0; i < ids->issuer_count; i++) {
		t->issuers[i].entry = &ids->issuers[i];
		t->count = i + 1;
		e = issuer_load(&t->issuers[i], s->identities, a, d);
		if (e != ERR_NONE)
			return e;
	}
	return once_load(t, s, a, d);
}

void
tokens_free(struct tokens *t)
{
	size_t i, k;

	if (t == NULL)
		return;
	for (i = 0; i < t->count; i++) {
		for (k = 0; k < t->issuers[i].key_count; k++)
			signature_key_free(t->issuers[i].keys[k].ready);
	}
	once_close(t->once);
	t->count = 0;
}

/* --- checking ------------------------------------------------------------- */

static const struct issuer *
issuer_find(const struct tokens *t, struct text name)
{
	size_t i;

	for (i = 0; i < t->count; i++) {
		if (text_is(t->issuers[i].entry->issuer, name))
			return &t->issuers[i];
	}
	return NULL;
}

static bool
issuer_choose(const struct tokens *all, const struct web_token *t,
    const struct issuer **out, struct outcome *why)
{
	const struct issuer *issuer = issuer_find(all, t->issuer);

	*out = issuer;
	if (issuer == NULL)
		return token_refuse(why, "issuer `%s` is not one of ours",
		    token_show(t->issuer).text);
	if (!issuer->is_usable)
		return token_fail(why, "the issuer's keys could not be read");
	if ((issuer->entry->algorithms & t->algorithm) == 0)
		return token_refuse(
		    why, "its `alg` is not one of the issuer's `algorithms`");
	return true;
}

/* The key that the token names; or, when it names none, the one that fits. */
static bool
key_choose(const struct issuer *issuer, const struct web_token *t,
    const struct key **out, struct outcome *why)
{
	size_t fitting = 0, i;

	*out = NULL;
	for (i = 0; i < issuer->key_count; i++) {
		const struct key *key = &issuer->keys[i];

		if (t->kid.len > 0
			? text_is(key->jwk->kid, t->kid)
			: (key->jwk->algorithms & t->algorithm) != 0) {
			*out = key;
			fitting++;
		}
	}
	if (t->kid.len == 0 && fitting != 1)
		return token_refuse(why,
		    "it names no key (`kid`), and %zu of the issuer's fit",
		    fitting);
	if (fitting == 0)
		return token_refuse(why, "the issuer has no key kid=%s",
		    token_show(t->kid).text);
	return ((*out)->jwk->algorithms & t->algorithm) != 0 ||
	    token_refuse(why, "key kid=%s is not for its `alg`",
		token_show(t->kid).text);
}

static bool
signature_check(const struct key *key, const struct web_token *t,
    struct text compact, struct outcome *why)
{
	return signature_fits(key->ready, t->algorithm, compact) ||
	    token_refuse(why, "signature does not fit key kid=%s",
		key->jwk->kid.len > 0 ? token_show(key->jwk->kid).text : "-");
}

/* For as long as it could open a connection, whatever `skew` a reload may
 * bring. */
static int64_t
remember_until(const struct token_issuer *issuer, const struct token_facts *t)
{
	return t->expires_at - issuer->skew_s + TOKEN_SKEW_MAX_S;
}

/* Which token it is: its issuer and `jti`; without one all that was signed, a
 * text that nobody else can change (the signature may have several spellings).
 * No two pairs make the same text, nor a pair what is signed: that has no
 * colon. */
static bool
token_digest(const struct token_facts *facts, struct text compact,
    uint8_t digest[ONCE_DIGEST_LEN])
{
	const char *end = memrchr(compact.at, '.', compact.len);
	char both[sizeof(facts->issuer) + sizeof(facts->id) + 8];
	int len;

	if (facts->id[0] == '\0' && end != NULL)
		return SHA256((const unsigned char *)compact.at,
			   (size_t)(end - compact.at), digest) != NULL;
	len = snprintf(both, sizeof(both), "%zu:%s%s", strlen(facts->issuer),
	    facts->issuer, facts->id);
	return len > 0 && (size_t)len < sizeof(both) &&
	    SHA256((const unsigned char *)both, (size_t)len, digest) != NULL;
}

/* The last thing that is asked, so that a token that is refused for anything
 * else has not been used. */
static bool
use_check(struct tokens *all, const struct issuer *issuer, struct text compact,
    int64_t now, struct outcome *out)
{
	const struct token_facts *facts = &out->token;
	uint8_t digest[ONCE_DIGEST_LEN];
	enum err e;

	if (!issuer->entry->is_once)
		return true;
	if (all->once == NULL)
		return token_fail(out, "no memory of used tokens");
	if (!token_digest(facts, compact, digest))
		return token_fail(out, "it cannot be remembered");
	e = once_use(
	    all->once, digest, remember_until(issuer->entry, facts), now);
	if (e == ERR_REFUSED) {
		token_refuse(out, "it has opened a connection before");
		out->result = OUTCOME_SPENT;
		return false;
	}
	if (e == ERR_TOO_LONG)
		return token_refuse(
		    out, "too many tokens in use: no room to remember it");
	return e == ERR_NONE ||
	    token_fail(out, "the memory of used tokens cannot be locked");
}

enum outcome_result
token_check(struct tokens *all, struct text compact, int64_t now,
    struct outcome *out)
{
	const struct issuer *issuer;
	const struct key *key;
	struct web_token t;

	out->result = OUTCOME_YES;
	if (!token_parse(compact, &t, out) ||
	    !issuer_choose(all, &t, &issuer, out) ||
	    !token_type_fits(&t, issuer->entry, out) ||
	    !key_choose(issuer, &t, &key, out) ||
	    !signature_check(key, &t, compact, out) ||
	    !token_claims_read(t.claims, issuer->entry, now, out) ||
	    !use_check(all, issuer, compact, now, out))
		memset(&out->token, 0, sizeof(out->token));
	token_clear(&t);
	return out->result;
}
