/*
 * token_claims.c - what a token that is signed says.
 *
 * The rule: a claim that is there is understood whole or the token is
 * refused; one that names an actor is never read as the person alone.
 * Trusts the issuer to mean what it signed, and nothing more: types, lengths
 * and ranges are checked.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "master/verifier/token_inner.h"

/* Until the end of the year 9999. */
#define DATE_MAX 253402300799.0

/* --- for whom and when ---------------------------------------------------- */

static bool
audience_has(const json_t *claim, struct text ours, bool *is_strange_out)
{
	struct text one = {json_string_value(claim), json_string_length(claim)};
	bool has = one.at != NULL && text_is(one, ours);
	const json_t *item;
	size_t i;

	*is_strange_out = one.at == NULL && !json_is_array(claim);
	json_array_foreach(claim, i, item)
	{
		one = (struct text){
		    json_string_value(item), json_string_length(item)};
		*is_strange_out |= one.at == NULL;
		has |= one.at != NULL && text_is(one, ours);
	}
	return has;
}

static bool
audience_check(const json_t *claims, const struct token_issuer *issuer,
    struct outcome *why)
{
	const json_t *claim = json_object_get(claims, "aud");
	bool is_strange = false, is_ours = false;
	size_t i;

	if (claim == NULL)
		return token_refuse(why, "it names no audience");
	for (i = 0; i < issuer->audience_count; i++)
		is_ours |= audience_has(
		    claim, issuer->audiences[i], &is_strange);
	if (is_strange)
		return token_refuse(
		    why, "its `aud` is neither a string nor a list of them");
	return is_ours || token_refuse(why, "audience is not ours");
}

/* A NumericDate of RFC 7519, 2. *date_out is NAN when it is not there. */
static bool
date_get(const json_t *claims, const char *name, double *date_out,
    struct outcome *why)
{
	const json_t *claim = json_object_get(claims, name);

	*date_out = NAN;
	if (claim == NULL)
		return true;
	if (json_is_number(claim))
		*date_out = json_number_value(claim);
	return (*date_out >= 0 && *date_out <= DATE_MAX) ||
	    token_refuse(why, "its `%s` is not a time", name);
}

static bool
expiry_check(const json_t *claims, unsigned skew, int64_t now,
    struct outcome *out)
{
	double expiry;

	if (!date_get(claims, "exp", &expiry, out))
		return false;
	if (isnan(expiry))
		return token_refuse(out, "it does not say when it expires");
	/* a session ends when its token would no longer open one */
	out->token.expires_at = (int64_t)expiry + skew;
	if (now >= out->token.expires_at)
		return token_refuse(out, "expired %lld s ago",
		    (long long)(now - (int64_t)expiry));
	return true;
}

static bool
start_check(const json_t *claims, const char *name, const char *what,
    unsigned skew, int64_t now, struct outcome *why)
{
	double start;

	if (!date_get(claims, name, &start, why))
		return false;
	/* NAN is greater than nothing */
	if (start > (double)(now + skew))
		return token_refuse(why, "%s in %lld s", what,
		    (long long)start - (long long)now);
	return true;
}

/* A token that is only good together with a key (RFC 7800) is not one to be
 * believed without it. */
static bool
bearer_check(const json_t *claims, struct outcome *why)
{
	return json_object_get(claims, "cnf") == NULL ||
	    token_refuse(why, "it is bound to a key (`cnf`), which was not "
			      "proved");
}

/* --- about whom ----------------------------------------------------------- */

/* Step by step, by the names between the dots. NULL: not there. */
static const json_t *
claim_walk(const json_t *claims, struct text path)
{
	const json_t *at = claims;
	size_t start = 0, i;

	for (i = 0; i <= path.len; i++) {
		if (i < path.len && path.at[i] != '.')
			continue;
		at = json_object_getn(at, path.at + start, i - start);
		start = i + 1;
	}
	return at;
}

/* Is it a member of `act`, which only who delegates may write? An issuer that
 * copies what its users choose into claims can make one named "act.sub". */
static bool
is_of_actor(struct text path)
{
	return path.len > 4 && memcmp(path.at, "act.", 4) == 0;
}

/* The claim that a path means: a member with dots in its name, or one that is
 * reached step by step; a token that has both could be read either way.
 * *claim_out is NULL when there is none, or the path is empty. */
static bool
claim_find(const json_t *claims, struct text path, const json_t **claim_out,
    struct outcome *why)
{
	const json_t *literal = NULL, *stepped = NULL;

	if (path.len > 0)
		stepped = claim_walk(claims, path);
	if (path.len > 0 && memchr(path.at, '.', path.len) != NULL)
		literal = json_object_getn(claims, path.at, path.len);
	*claim_out = stepped != NULL ? stepped : literal;
	if (literal != NULL && is_of_actor(path))
		return token_refuse(why, "it has a claim named `%s`, which is "
					 "no part of its `act`",
		    token_show(path).text);
	return literal == NULL || stepped == NULL ||
	    token_refuse(why, "it has two claims that `%s` could mean",
		token_show(path).text);
}

/* As names in identities.yaml may be. */
static bool
is_name(struct text word)
{
	size_t i;

	for (i = 0; i < word.len; i++) {
		unsigned char c = (unsigned char)word.at[i];

		if (c < ' ' || c == 0x7f || strchr("+*?", c) != NULL)
			return false;
	}
	return word.len > 0 && word.len <= IDENTITY_NAME_MAX &&
	    !text_is(word, TEXT("none"));
}

static bool
name_put(const json_t *claim, struct text path, char out[64],
    struct outcome *why)
{
	struct text word = {
	    json_string_value(claim), json_string_length(claim)};

	_Static_assert(IDENTITY_NAME_MAX == 63, "names have room");
	if (word.at == NULL || !is_name(word))
		return token_refuse(why, "its claim `%s` is not a name",
		    token_show(path).text);
	memcpy(out, word.at, word.len);
	out[word.len] = '\0';
	return true;
}

static bool
user_read(const json_t *claims, struct text path, struct outcome *out)
{
	const json_t *claim;

	if (!claim_find(claims, path, &claim, out))
		return false;
	if (claim == NULL)
		return token_refuse(out, "it has no claim `%s` for the user",
		    token_show(path).text);
	return name_put(claim, path, out->token.user, out);
}

/* Groups are many or one: a list of strings, or a string. */
static bool
groups_read(const json_t *claims, struct text path, struct outcome *out)
{
	const json_t *claim;
	size_t count, i;

	if (!claim_find(claims, path, &claim, out))
		return false;
	if (claim == NULL)
		return true;
	count = json_is_array(claim) ? json_array_size(claim) : 1;
	if (count > ERRAND_GROUPS_MAX)
		return token_refuse(
		    out, "more than %d groups", ERRAND_GROUPS_MAX);
	for (i = 0; i < count; i++) {
		if (!name_put(json_is_array(claim) ? json_array_get(claim, i)
						   : claim,
			path, out->token.groups[i], out))
			return false;
	}
	out->token.has_groups = 1;
	out->token.group_count = (uint32_t)count;
	return true;
}

/* --- through whom --------------------------------------------------------- */

/* Actor behind actor (RFC 8693, 4.1), each an object. */
static bool
actors_check(const json_t *actor, struct outcome *why)
{
	size_t depth;

	for (depth = 0; actor != NULL; depth++) {
		if (depth == TOKEN_ACTORS_MAX)
			return token_refuse(why, "more than %d actors",
			    TOKEN_ACTORS_MAX);
		if (!json_is_object(actor))
			return token_refuse(why, "its `act` is not an object");
		actor = json_object_get(actor, "act");
	}
	return true;
}

static bool
chain_put(const json_t *actor, struct outcome *out)
{
	char *chain = json_dumps(actor, JSON_COMPACT);
	size_t len = chain == NULL ? 0 : strlen(chain);
	bool fits = len > 0 && len < sizeof(out->token.chain);

	if (fits)
		memcpy(out->token.chain, chain, len + 1);
	else
		token_refuse(out, "its `act` is longer than %zu bytes",
		    sizeof(out->token.chain) - 1);
	free(chain);
	return fits;
}

static bool
agent_read(const json_t *claims, struct text path, struct outcome *out)
{
	const json_t *actor = json_object_get(claims, "act");
	const json_t *claim;

	if (!actors_check(actor, out) ||
	    !claim_find(claims, path, &claim, out) ||
	    (actor != NULL && !chain_put(actor, out)))
		return false;
	if (claim != NULL)
		return name_put(claim, path, out->token.agent, out);
	return actor == NULL ||
	    token_refuse(out, "it has an actor (`act`), and no claim that "
			      "names the agent");
}

static bool
id_read(const json_t *claims, struct outcome *out)
{
	struct text id;

	if (json_object_get(claims, "jti") == NULL)
		return true;
	if (!token_string(claims, "jti", &id) ||
	    id.len >= sizeof(out->token.id))
		return token_refuse(out,
		    "its `jti` is not a string of 1 to %zu bytes",
		    sizeof(out->token.id) - 1);
	memcpy(out->token.id, id.at, id.len);
	return true;
}

bool
token_claims_read(const json_t *claims, const struct token_issuer *issuer,
    int64_t now, struct outcome *out)
{
	unsigned skew = issuer->skew_s;

	memset(&out->token, 0, sizeof(out->token));
	memcpy(out->token.issuer, issuer->issuer.at, issuer->issuer.len);
	return audience_check(claims, issuer, out) &&
	    expiry_check(claims, skew, now, out) &&
	    start_check(claims, "nbf", "not valid yet: it will be", skew, now,
		out) &&
	    start_check(claims, "iat", "issued in the future:", skew, now,
		out) &&
	    bearer_check(claims, out) &&
	    user_read(claims, issuer->user, out) &&
	    agent_read(claims, issuer->agent, out) &&
	    groups_read(claims, issuer->groups, out) &&
	    id_read(claims, out);
}
