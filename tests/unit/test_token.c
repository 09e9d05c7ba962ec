/* links: master/verifier/token.c master/verifier/token_parse.c master/verifier/token_claims.c master/verifier/token_signature.c master/verifier/token_once.c common/jwks.c common/jwk_numbers.c common/token_read.c common/base64url.c common/wire.c common/schema.c common/schema_scalar.c common/yaml.c common/diagnostics.c common/arena.c common/text.c master/errand.c common/err.c common/parcel.c */
/*
 * Tokens made with keys of this run: each kind that is right, and beside it
 * what is nearly right.
 */
#include <check.h>
#include <stdlib.h>

#include "master/verifier/token.h"
#include "tests/unit/scratch.h"
#include "tests/unit/suite.h"
#include "tests/unit/token_maker.h"

enum { NOW = 1800000000 };

static struct arena *arena;
static struct diagnostics *diagnostics;
static struct tokens *tokens;
static struct outcome outcome;

static struct text audiences[] = {
    {"sallyport", 9}, {"https://shop.example/db", 23}};

static struct token_issuer issuers[2];
static struct settings settings;
static struct identities ids;

#define ISSUER "https://login.shop.example"

static void
issuers_reset(void)
{
	static char keys[256], state[256];

	snprintf(keys, sizeof(keys), "%s", scratch_path("jwks.json"));
	snprintf(state, sizeof(state), "%s", scratch_folder);
	issuers[0] = (struct token_issuer){.issuer = TEXT(ISSUER),
	    .audiences = audiences,
	    .audience_count = 2,
	    .keys = text_of(keys),
	    .user = TEXT("sub"),
	    .agent = TEXT("act.sub"),
	    .groups = TEXT("groups"),
	    .algorithms = (1U << TOKEN_ALGORITHM_COUNT) - 1,
	    .skew_s = 30};
	issuers[1] = issuers[0];
	issuers[1].issuer = TEXT("https://other.example");
	ids = (struct identities){.issuers = issuers, .issuer_count = 2};
	settings = (struct settings){
	    .identities = "identities.yaml", .state = state};
}

static void
setup(void)
{
	arena = arena_new(0);
	diagnostics = diagnostics_new(arena);
	scratch_make();
	scratch_write("jwks.json", maker_set(&maker));
	issuers_reset();
	tokens = NULL;
}

static void
teardown(void)
{
	tokens_free(tokens);
	scratch_remove();
	arena_free(arena);
}

static enum outcome_result
check(const char *compact)
{
	size_t i;

	if (tokens == NULL)
		ck_assert_int_eq(tokens_load(&settings, &ids, arena,
				     diagnostics, &tokens),
		    ERR_NONE);
	for (i = 0; i < diagnostics_count(diagnostics); i++)
		fprintf(stderr, "%s\n", diagnostics_line(diagnostics, i));
	outcome = (struct outcome){.kind = ERRAND_TOKEN};
	return token_check(tokens, text_of(compact), NOW, &outcome);
}

/* Claims that are right; `more` replaces or adds: {"exp": …}. A null takes a
 * claim away. */
static const char *
claims(const char *more)
{
	json_t *all = json_pack("{s:s, s:s, s:s, s:I, s:I}", "iss", ISSUER,
	    "sub", "alice", "aud", "sallyport", "exp", (json_int_t)NOW + 600,
	    "iat", (json_int_t)NOW - 5);
	json_t *extra = json_loads(more, 0, NULL);
	const char *key;
	json_t *value;

	ck_assert_ptr_nonnull(extra);
	json_object_foreach(extra, key, value)
	{
		if (json_is_null(value))
			json_object_del(all, key);
		else
			json_object_set(all, key, value);
	}
	json_decref(extra);
	return maker_text(all);
}

static const char *
header(const char *alg, const char *kid)
{
	static char text[256];

	snprintf(text, sizeof(text), "{\"alg\":\"%s\",\"kid\":\"%s\"}", alg,
	    kid);
	return text;
}

/* A token by the EC key, which is the quickest. */
static const char *
usual(const char *more)
{
	return maker_token(
	    &maker, "ES256", header("ES256", "p256"), claims(more));
}

/* --- what is right ---------------------------------------------------------- */

static const struct {
	const char *alg, *kid;
} signed_by[] = {
    {"RS256", "rsa"}, {"RS384", "rsa"}, {"RS512", "rsa"}, {"PS256", "rsa"},
    {"ES256", "p256"}, {"ES384", "p384"}, {"EdDSA", "ed"},
};

START_TEST(token_of_each_algorithm_is_believed)
{
	const char *alg = signed_by[_i].alg;
	const char *token = maker_token(
	    &maker, alg, header(alg, signed_by[_i].kid), claims("{}"));
	char *changed = strdup(token);
	char *last;

	ck_assert_msg(check(token) == OUTCOME_YES, "%s: %s", alg,
	    outcome.reason);
	ck_assert_str_eq(outcome.token.user, "alice");
	ck_assert_str_eq(outcome.token.agent, "");
	ck_assert_str_eq(outcome.token.chain, "");
	ck_assert_str_eq(outcome.token.issuer, ISSUER);
	ck_assert_int_eq(outcome.token.expires_at, NOW + 600 + 30);
	ck_assert_uint_eq(outcome.token.has_groups, 0);

	/* one bit of the signature's middle */
	last = strrchr(changed, '.') + 20;
	*last = *last == 'A' ? 'B' : 'A';
	ck_assert_int_eq(check(changed), OUTCOME_NO);
	ck_assert_ptr_nonnull(strstr(outcome.reason, "signature does not fit"));
	ck_assert_str_eq(outcome.token.user, "");
	free(changed);
}
END_TEST

static const struct good {
	const char *more, *user, *agent, *chain;
	int groups; /* -1: not there */
} goods[] = {
    {"{}", "alice", "", "", -1},
    {"{\"aud\": [\"x\", \"https://shop.example/db\"]}", "alice", "", "", -1},
    {"{\"exp\": 1799999971}", "alice", "", "", -1},
    {"{\"exp\": 1800000000.75}", "alice", "", "", -1},
    {"{\"nbf\": 1800000030, \"iat\": 1800000030}", "alice", "", "", -1},
    {"{\"iat\": null}", "alice", "", "", -1},
    {"{\"sub\": \"alice @ shop\"}", "alice @ shop", "", "", -1},
    {"{\"sub\": \"\\u00e5sa\"}", "\xc3\xa5sa", "", "", -1},
    {"{\"sub\": \"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz"
     "abcdefghijk\"}",
	"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijk", "",
	"", -1},
    {"{\"act\": {\"sub\": \"copilot\"}}", "alice", "copilot",
	"{\"sub\":\"copilot\"}", -1},
    /* the outermost is who acts now: RFC 8693, 4.1 */
    {"{\"act\": {\"sub\": \"copilot\", \"act\": {\"sub\": \"planner\", "
     "\"iss\": \"https://x\"}}}",
	"alice", "copilot",
	"{\"sub\":\"copilot\",\"act\":{\"sub\":\"planner\",\"iss\":"
	"\"https://x\"}}",
	-1},
    {"{\"groups\": \"dba\"}", "alice", "", "", 1},
    {"{\"groups\": [\"dba\", \"analysts\"]}", "alice", "", "", 2},
    {"{\"groups\": []}", "alice", "", "", 0},
    {"{\"jti\": \"a b c\"}", "alice", "", "", -1},
    {"{\"anything\": {\"else\": [1, null]}}", "alice", "", "", -1},
};

START_TEST(claims_become_facts)
{
	const struct good *g = &goods[_i];

	ck_assert_msg(check(usual(g->more)) == OUTCOME_YES, "%s: %s", g->more,
	    outcome.reason);
	ck_assert_str_eq(outcome.token.user, g->user);
	ck_assert_str_eq(outcome.token.agent, g->agent);
	ck_assert_str_eq(outcome.token.chain, g->chain);
	ck_assert_int_eq(outcome.token.has_groups, g->groups >= 0);
	if (g->groups >= 0)
		ck_assert_int_eq(
		    (int)outcome.token.group_count, g->groups);
	ck_assert(outcome_is_sound(&outcome));
}
END_TEST

/* --- what is not ------------------------------------------------------------ */

static const struct bad {
	const char *more, *reason;
} bads[] = {
    {"{\"exp\": 1799999970}", "expired 30 s ago"},
    {"{\"exp\": 0}", "expired 1800000000 s ago"},
    {"{\"exp\": null}", "it does not say when it expires"},
    {"{\"exp\": \"1900000000\"}", "its `exp` is not a time"},
    {"{\"exp\": -1}", "its `exp` is not a time"},
    {"{\"exp\": true}", "its `exp` is not a time"},
    {"{\"exp\": 1e300}", "its `exp` is not a time"},
    {"{\"exp\": 253402300800}", "its `exp` is not a time"},
    {"{\"exp\": [1900000000]}", "its `exp` is not a time"},
    {"{\"nbf\": 1800000031}", "not valid yet: it will be in 31 s"},
    {"{\"nbf\": 1800000030.5}", "not valid yet: it will be in 30 s"},
    {"{\"nbf\": \"soon\"}", "its `nbf` is not a time"},
    {"{\"iat\": 1800000031}", "issued in the future: in 31 s"},
    {"{\"iat\": {}}", "its `iat` is not a time"},
    {"{\"aud\": \"someone-else\"}", "audience is not ours"},
    {"{\"aud\": \"sallyport2\"}", "audience is not ours"},
    {"{\"aud\": \"Sallyport\"}", "audience is not ours"},
    {"{\"aud\": []}", "audience is not ours"},
    {"{\"aud\": null}", "it names no audience"},
    {"{\"aud\": [\"sallyport\", 1]}",
	"its `aud` is neither a string nor a list of them"},
    {"{\"aud\": {\"sallyport\": 1}}",
	"its `aud` is neither a string nor a list of them"},
    {"{\"iss\": null}", "it names no issuer"},
    {"{\"iss\": 7}", "it names no issuer"},
    {"{\"iss\": \"https://login.shop.example/\"}",
	"issuer `https://login.shop.example/` is not one of ours"},
    {"{\"iss\": \"a\\n`b\\u00e5\"}", "issuer `a??b??` is not one of ours"},
    {"{\"sub\": null}", "it has no claim `sub` for the user"},
    {"{\"sub\": \"\"}", "its claim `sub` is not a name"},
    {"{\"sub\": \"alice+copilot\"}", "its claim `sub` is not a name"},
    {"{\"sub\": \"al*\"}", "its claim `sub` is not a name"},
    {"{\"sub\": \"a\\nb\"}", "its claim `sub` is not a name"},
    {"{\"sub\": \"none\"}", "its claim `sub` is not a name"},
    {"{\"sub\": [\"alice\"]}", "its claim `sub` is not a name"},
    {"{\"sub\": \"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz"
     "abcdefghijkl\"}",
	"its claim `sub` is not a name"},
    {"{\"act\": \"copilot\"}", "its `act` is not an object"},
    {"{\"act\": []}", "its `act` is not an object"},
    {"{\"act\": {}}",
	"it has an actor (`act`), and no claim that names the agent"},
    {"{\"act\": {\"client_id\": \"copilot\"}}",
	"it has an actor (`act`), and no claim that names the agent"},
    {"{\"act\": {\"sub\": \"\"}}", "its claim `act.sub` is not a name"},
    {"{\"act\": {\"sub\": null}}", "its claim `act.sub` is not a name"},
    {"{\"act\": {\"sub\": \"a\", \"act\": \"b\"}}",
	"its `act` is not an object"},
    /* who acts is in `act`, and nowhere else */
    {"{\"act.sub\": \"copilot\", \"act\": {\"sub\": \"nightly\"}}",
	"it has a claim named `act.sub`, which is no part of its `act`"},
    {"{\"act.sub\": \"copilot\"}",
	"it has a claim named `act.sub`, which is no part of its `act`"},
    {"{\"act.sub\": 7, \"act\": {\"sub\": \"nightly\"}}",
	"it has a claim named `act.sub`, which is no part of its `act`"},
    {"{\"act\": {\"sub\": \"1\", \"act\": {\"act\": {\"act\": {\"act\": "
     "{\"act\": {\"act\": {\"act\": {\"act\": {}}}}}}}}}}",
	"more than 8 actors"},
    {"{\"groups\": 7}", "its claim `groups` is not a name"},
    {"{\"groups\": [\"dba\", null]}", "its claim `groups` is not a name"},
    {"{\"groups\": [\"dba\", \"*\"]}", "its claim `groups` is not a name"},
    {"{\"jti\": 7}", "its `jti` is not a string of 1 to 255 bytes"},
    {"{\"jti\": \"\"}", "its `jti` is not a string of 1 to 255 bytes"},
    {"{\"cnf\": {\"jkt\": \"x\"}}",
	"it is bound to a key (`cnf`), which was not proved"},
};

START_TEST(claims_that_are_wrong_are_refused)
{
	const struct bad *b = &bads[_i];

	ck_assert_msg(
	    check(usual(b->more)) == OUTCOME_NO, "%s", b->more);
	ck_assert_str_eq(outcome.reason, b->reason);
	ck_assert_str_eq(outcome.token.user, "");
}
END_TEST

#define HEADER(more) "{\"alg\":\"ES256\",\"kid\":\"p256\"" more "}"

static const struct {
	const char *signed_with, *header, *reason;
} headers[] = {
    {"ES256", "{\"alg\":\"none\"}", "signatures by `none` are not accepted"},
    {"ES256", "{\"alg\":\"None\",\"kid\":\"p256\"}",
	"signatures by `None` are not accepted"},
    {"ES256", "{\"alg\":\"HS256\",\"kid\":\"p256\"}",
	"signatures by `HS256` are not accepted"},
    {"ES256", "{\"alg\":\"es256\",\"kid\":\"p256\"}",
	"signatures by `es256` are not accepted"},
    {"ES256", "{\"alg\":\"ES512\",\"kid\":\"p256\"}",
	"signatures by `ES512` are not accepted"},
    {"ES256", "{\"alg\":\"ES256K\",\"kid\":\"p256\"}",
	"signatures by `ES256K` are not accepted"},
    {"RS256", "{\"alg\":\"PS384\",\"kid\":\"rsa\"}",
	"signatures by `PS384` are not accepted"},
    {"ES256", "{\"kid\":\"p256\"}", "its header has no `alg`"},
    {"ES256", "{\"alg\":[\"ES256\"],\"kid\":\"p256\"}",
	"its header has no `alg`"},
    {"ES256", HEADER(",\"crit\":[\"exp\"]"), "its header has `crit`"},
    {"ES256", HEADER(",\"crit\":[]"), "its header has `crit`"},
    {"ES256", HEADER(",\"jwk\":{}"), "its header has `jwk`"},
    {"ES256", HEADER(",\"jku\":\"https://x\""), "its header has `jku`"},
    {"ES256", HEADER(",\"x5u\":\"https://x\""), "its header has `x5u`"},
    {"ES256", HEADER(",\"x5c\":[]"), "its header has `x5c`"},
    {"ES256", HEADER(",\"zip\":\"DEF\""), "its header has `zip`"},
    {"ES256", HEADER(",\"b64\":false"), "its header has `b64`"},
    {"ES256", HEADER(",\"enc\":\"A128GCM\""), "its header has `enc`"},
    {"ES256", HEADER(",\"alg\":\"ES256\""), "its header says one thing twice"},
    {"ES256", HEADER(",\"typ\":\"logout+jwt\""),
	"its `typ` is not that of the issuer's tokens: `logout+jwt`"},
    {"ES256", HEADER(",\"typ\":7"),
	"its `typ` is not that of the issuer's tokens: ``"},
    {"ES256", "{\"alg\":\"ES256\",\"kid\":7}",
	"its `kid` is not a string of 1 to 255 bytes"},
    {"ES256", "{\"alg\":\"ES256\",\"kid\":\"\"}",
	"its `kid` is not a string of 1 to 255 bytes"},
    {"ES256", "{\"alg\":\"ES256\",\"kid\":\"p257\"}",
	"the issuer has no key kid=p257"},
    /* keys of another kind, use or algorithm than the header's */
    {"ES256", "{\"alg\":\"ES256\",\"kid\":\"rsa\"}",
	"key kid=rsa is not for its `alg`"},
    {"RS256", "{\"alg\":\"RS256\",\"kid\":\"p256\"}",
	"key kid=p256 is not for its `alg`"},
    {"EdDSA", "{\"alg\":\"EdDSA\",\"kid\":\"p256\"}",
	"key kid=p256 is not for its `alg`"},
    {"PS256", "{\"alg\":\"PS256\",\"kid\":\"rs256-only\"}",
	"key kid=rs256-only is not for its `alg`"},
    {"ES384", "{\"alg\":\"ES384\",\"kid\":\"p256\"}",
	"key kid=p256 is not for its `alg`"},
    {"RS256", "{\"alg\":\"RS256\",\"kid\":\"rsa-for-encryption\"}",
	"the issuer has no key kid=rsa-for-encryption"},
    {"RS256", "{\"alg\":\"RS256\",\"kid\":\"rsa-that-signs\"}",
	"the issuer has no key kid=rsa-that-signs"},
    /* one algorithm's signature under another's name, of the same key */
    {"RS256", "{\"alg\":\"PS256\",\"kid\":\"rsa\"}",
	"signature does not fit key kid=rsa"},
    {"PS256", "{\"alg\":\"RS256\",\"kid\":\"rsa\"}",
	"signature does not fit key kid=rsa"},
    {"RS256", "{\"alg\":\"RS512\",\"kid\":\"rsa\"}",
	"signature does not fit key kid=rsa"},
    /* another's key, right in itself */
    {"stranger", "{\"alg\":\"ES256\",\"kid\":\"p256\"}",
	"signature does not fit key kid=p256"},
    {"EdDSA", "{\"alg\":\"ES256\",\"kid\":\"p256\"}",
	"signature does not fit key kid=p256"},
    {"ES384", "{\"alg\":\"ES256\",\"kid\":\"p256\"}",
	"a signature of 96 bytes is none of its `alg`"},
    /* a MAC with what everybody has: the public key */
    {"HS256", "{\"alg\":\"HS256\",\"kid\":\"p256\"}",
	"signatures by `HS256` are not accepted"},
    {"HS256", "{\"alg\":\"RS256\",\"kid\":\"rsa\"}",
	"signature does not fit key kid=rsa"},
    /* more than one RSA key fits, and none is named */
    {"RS256", "{\"alg\":\"RS256\"}",
	"it names no key (`kid`), and 2 of the issuer's fit"},
    {"ES256", "[\"ES256\"]", "its header is not an object"},
    {"ES256", "{\"alg\":\"ES256\"", "its header is not JSON"},
    {"ES256", HEADER(" \"x\\u0000y\":1"), "its header is not JSON"},
    {"ES256", HEADER("} {"), "its header is not JSON"},
};

START_TEST(headers_that_are_wrong_are_refused)
{
	ck_assert_msg(check(maker_token(&maker, headers[_i].signed_with,
			  headers[_i].header, claims("{}"))) == OUTCOME_NO,
	    "%s", headers[_i].header);
	ck_assert_str_eq(outcome.reason, headers[_i].reason);
}
END_TEST

static const char *const fine_headers[] = {
    "{\"alg\":\"ES256\"}", /* the only key that fits */
    HEADER(",\"typ\":\"JWT\""), HEADER(",\"typ\":\"at+jwt\""),
    HEADER(",\"typ\":\"application/AT+JWT\""), HEADER(",\"x5t\":\"abc\""),
};

START_TEST(headers_that_are_right_are_taken)
{
	ck_assert_msg(check(maker_token(&maker, "ES256", fine_headers[_i],
			  claims("{}"))) == OUTCOME_YES,
	    "%s: %s", fine_headers[_i], outcome.reason);
}
END_TEST

static const struct {
	const char *typ;
	bool is_fine;
} types[] = {
    {"", false}, {",\"typ\":\"JWT\"", false}, {",\"typ\":\"at+jwt\"", true},
    {",\"typ\":\"application/at+jwt\"", true},
    {",\"typ\":\"application/at+jwt+x\"", false},
};

START_TEST(required_type_is_required)
{
	char text[128];

	issuers[0].required_type = TEXT("at+jwt");
	snprintf(text, sizeof(text),
	    "{\"alg\":\"ES256\",\"kid\":\"p256\"%s}", types[_i].typ);
	ck_assert_int_eq(
	    check(maker_token(&maker, "ES256", text, claims("{}"))),
	    types[_i].is_fine ? OUTCOME_YES : OUTCOME_NO);
}
END_TEST

static const struct {
	const char *compact, *reason;
} forms[] = {
    {"", "not a signed token of three parts"},
    {"a", "not a signed token of three parts"},
    {"..", "not a signed token of three parts"},
    {"e30.e30", "not a signed token of three parts"},
    {"e30.e30.", "not a signed token of three parts"},
    {".e30.e30", "not a signed token of three parts"},
    {"e30..e30", "not a signed token of three parts"},
    {"e30.e30.e30.e30.e30", "not a signed token of three parts"},
    {"e30=.e30.AAAA", "its header is not base64url"},
    {"e3A.e30.AAAA", "its header is not JSON"},
    {"e31.e30.AAAA", "its header is not base64url"}, /* bits left over */
    {"e30.e3 0.AAAA", "its payload is not base64url"},
    {"e30.e30.AA==", "its signature is too long or not base64url"},
    {"e30.e30.AA+A", "its signature is too long or not base64url"},
    {"{\"payload\":\"e30\",\"signatures\":[]}",
	"not a signed token of three parts"},
};

START_TEST(texts_that_are_no_tokens_are_refused)
{
	ck_assert_int_eq(check(forms[_i].compact), OUTCOME_NO);
	ck_assert_str_eq(outcome.reason, forms[_i].reason);
}
END_TEST

START_TEST(doubled_claims_are_refused)
{
	ck_assert_int_eq(
	    check(maker_token(&maker, "ES256", header("ES256", "p256"),
		"{\"iss\":\"" ISSUER "\",\"sub\":\"alice\",\"sub\":\"root\","
		"\"aud\":\"sallyport\",\"exp\":1800000100}")),
	    OUTCOME_NO);
	ck_assert_str_eq(outcome.reason, "its payload says one thing twice");
}
END_TEST

START_TEST(long_tokens_are_refused)
{
	char *compact = malloc(TOKEN_BYTES_MAX + 2);

	memset(compact, 'A', TOKEN_BYTES_MAX + 1);
	compact[TOKEN_BYTES_MAX + 1] = '\0';
	ck_assert_int_eq(check(compact), OUTCOME_NO);
	ck_assert_str_eq(outcome.reason, "longer than 16384 bytes");
	free(compact);
}
END_TEST

START_TEST(long_chains_are_refused)
{
	char *more = malloc(8192);

	snprintf(more, 8192, "{\"act\":{\"sub\":\"copilot\",\"x\":\"%04000d\"}}",
	    1);
	ck_assert_msg(
	    check(usual(more)) == OUTCOME_YES, "%s", outcome.reason);
	snprintf(more, 8192, "{\"act\":{\"sub\":\"copilot\",\"x\":\"%04096d\"}}",
	    1);
	ck_assert_int_eq(check(usual(more)), OUTCOME_NO);
	ck_assert_str_eq(
	    outcome.reason, "its `act` is longer than 4095 bytes");
	free(more);
}
END_TEST

START_TEST(more_groups_than_there_is_room_for_are_refused)
{
	char more[1024] = "{\"groups\":[\"g\"";
	size_t i;

	for (i = 1; i < ERRAND_GROUPS_MAX; i++)
		strcat(more, ",\"g\"");
	strcat(more, "]}");
	ck_assert_int_eq(check(usual(more)), OUTCOME_YES);
	more[strlen(more) - 2] = '\0';
	strcat(more, ",\"g\"]}");
	ck_assert_int_eq(check(usual(more)), OUTCOME_NO);
	ck_assert_str_eq(outcome.reason, "more than 64 groups");
}
END_TEST

/* The header of one and the claims of another token of the same issuer. */
START_TEST(parts_of_two_tokens_are_no_token)
{
	const char *first = usual("{}");
	const char *second = usual("{\"sub\": \"root\"}");
	char mixed[4096];

	ck_assert_int_eq(check(first), OUTCOME_YES);
	ck_assert_int_eq(check(second), OUTCOME_YES);
	snprintf(mixed, sizeof(mixed), "%.*s%s",
	    (int)(strrchr(second, '.') - second), second, strrchr(first, '.'));
	ck_assert_int_eq(check(mixed), OUTCOME_NO);
	ck_assert_str_eq(outcome.reason, "signature does not fit key kid=p256");
}
END_TEST

START_TEST(algorithms_of_the_issuer_are_the_only_ones)
{
	issuers[0].algorithms = TOKEN_RS256;
	ck_assert_int_eq(check(usual("{}")), OUTCOME_NO);
	ck_assert_str_eq(outcome.reason,
	    "its `alg` is not one of the issuer's `algorithms`");
	ck_assert_int_eq(check(maker_token(&maker, "RS256",
			     header("RS256", "rsa"), claims("{}"))),
	    OUTCOME_YES);
}
END_TEST

START_TEST(keys_of_one_issuer_sign_nothing_for_another)
{
	scratch_write("other.json",
	    "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"theirs\","
	    "\"x\":\"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4\","
	    "\"y\":\"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM\"}]}");
	issuers[1].keys = text_of(strdup(scratch_path("other.json")));
	ck_assert_int_eq(
	    check(usual("{\"iss\": \"https://other.example\"}")), OUTCOME_NO);
	ck_assert_str_eq(outcome.reason, "the issuer has no key kid=p256");
	ck_assert_int_eq(
	    check(maker_token(&maker, "ES256", "{\"alg\":\"ES256\"}",
		claims("{\"iss\": \"https://other.example\"}"))),
	    OUTCOME_NO);
	ck_assert_str_eq(
	    outcome.reason, "signature does not fit key kid=theirs");
	free((void *)(uintptr_t)issuers[1].keys.at);
}
END_TEST

START_TEST(claims_are_mapped_as_the_entry_says)
{
	issuers[0].user = TEXT("https://shop.example/login");
	issuers[0].agent = TEXT("client.id");
	issuers[0].groups = TEXT("realm.roles");
	ck_assert_msg(
	    check(usual("{\"https://shop.example/login\": \"bob\","
			"\"client\": {\"id\": \"copilot\"},"
			"\"realm\": {\"roles\": [\"dba\"]}}")) == OUTCOME_YES,
	    "%s", outcome.reason);
	ck_assert_str_eq(outcome.token.user, "bob");
	ck_assert_str_eq(outcome.token.agent, "copilot");
	ck_assert_str_eq(outcome.token.groups[0], "dba");
}
END_TEST

static const struct {
	const char *more, *reason;
} unclear[] = {
    {"{\"client.id\": \"copilot\", \"client\": {\"id\": \"copilot\"}}",
	"it has two claims that `client.id` could mean"},
    {"{\"client.id\": 7, \"client\": {\"id\": \"copilot\"}}",
	"it has two claims that `client.id` could mean"},
    {"{\"client.id\": \"copilot\", \"client\": {\"id\": 7}}",
	"it has two claims that `client.id` could mean"},
    {"{\"user.name\": \"bob\", \"user\": {\"name\": \"carol\"}}",
	"it has two claims that `user.name` could mean"},
    {"{\"realm.roles\": [], \"realm\": {\"roles\": [\"dba\"]}}",
	"it has two claims that `realm.roles` could mean"},
};

START_TEST(claims_that_could_be_read_two_ways_are_refused)
{
	char more[256];

	issuers[0].user = TEXT("user.name");
	issuers[0].agent = TEXT("client.id");
	issuers[0].groups = TEXT("realm.roles");
	/* one of them, of either kind, is clear */
	ck_assert_int_eq(check(usual("{\"user.name\": \"bob\"}")), OUTCOME_YES);
	ck_assert_str_eq(outcome.token.user, "bob");
	ck_assert_int_eq(
	    check(usual("{\"user\": {\"name\": \"carol\"}}")), OUTCOME_YES);
	ck_assert_str_eq(outcome.token.user, "carol");
	snprintf(more, sizeof(more), "%s%s",
	    strstr(unclear[_i].more, "user.name") == NULL
		? "{\"user.name\": \"bob\", " : "{",
	    unclear[_i].more + 1);
	ck_assert_msg(check(usual(more)) == OUTCOME_NO, "%s", more);
	ck_assert_str_eq(outcome.reason, unclear[_i].reason);
}
END_TEST

START_TEST(actor_behind_the_actor_is_found_step_by_step_only)
{
	issuers[0].agent = TEXT("act.act.sub");
	ck_assert_int_eq(
	    check(usual("{\"act\": {\"act\": {\"sub\": \"planner\"}}}")),
	    OUTCOME_YES);
	ck_assert_str_eq(outcome.token.agent, "planner");
	/* a name with a dot in it is not two steps */
	ck_assert_int_eq(
	    check(usual("{\"act\": {\"act.sub\": \"planner\"}}")),
	    OUTCOME_NO);
	ck_assert_int_eq(
	    check(usual("{\"act.act.sub\": \"planner\"}")), OUTCOME_NO);
	ck_assert_str_eq(outcome.reason,
	    "it has a claim named `act.act.sub`, which is no part of its "
	    "`act`");
}
END_TEST

START_TEST(actor_is_never_lost_for_want_of_a_mapping)
{
	issuers[0].agent = (struct text){NULL, 0};
	ck_assert_int_eq(check(usual("{}")), OUTCOME_YES);
	ck_assert_int_eq(
	    check(usual("{\"act\": {\"sub\": \"copilot\"}}")), OUTCOME_NO);
	ck_assert_str_eq(outcome.reason,
	    "it has an actor (`act`), and no claim that names the agent");
}
END_TEST

START_TEST(without_skew_a_token_ends_on_the_second)
{
	issuers[0].skew_s = 0;
	ck_assert_int_eq(check(usual("{\"exp\": 1800000001}")), OUTCOME_YES);
	ck_assert_int_eq(outcome.token.expires_at, NOW + 1);
	ck_assert_int_eq(check(usual("{\"exp\": 1800000000}")), OUTCOME_NO);
	ck_assert_str_eq(outcome.reason, "expired 0 s ago");
}
END_TEST

/* --- once ------------------------------------------------------------------- */

START_TEST(token_may_be_used_again_where_that_is_allowed)
{
	const char *token = usual("{\"jti\": \"1\"}");

	ck_assert_int_eq(check(token), OUTCOME_YES);
	ck_assert_str_eq(outcome.token.id, "1");
	ck_assert_int_eq(check(token), OUTCOME_YES);
}
END_TEST

START_TEST(token_is_used_once_where_that_is_asked_for)
{
	const char *token = usual("{\"jti\": \"1\"}");

	issuers[0].is_once = true;
	ck_assert_int_eq(check(token), OUTCOME_YES);
	ck_assert_int_eq(check(token), OUTCOME_SPENT);
	ck_assert_str_eq(
	    outcome.reason, "it has opened a connection before");
	/* the same jti, signed anew */
	ck_assert_int_eq(check(usual("{\"jti\": \"1\"}")), OUTCOME_SPENT);
	ck_assert_int_eq(check(usual("{\"jti\": \"2\"}")), OUTCOME_YES);
}
END_TEST

START_TEST(token_without_an_id_is_known_by_all_that_was_signed)
{
	const char *token = usual("{}");

	issuers[0].is_once = true;
	ck_assert_int_eq(check(token), OUTCOME_YES);
	ck_assert_int_eq(check(token), OUTCOME_SPENT);
	ck_assert_str_eq(
	    outcome.reason, "it has opened a connection before");
	/* with another signature, which is as good */
	ck_assert_int_eq(check(usual("{}")), OUTCOME_SPENT);
	ck_assert_str_eq(
	    outcome.reason, "it has opened a connection before");
	ck_assert_int_eq(check(usual("{\"exp\": 1800000009}")), OUTCOME_YES);
	ck_assert_int_eq(check(usual("{\"jti\": \"1\"}")), OUTCOME_YES);
}
END_TEST

START_TEST(refused_token_has_not_been_used)
{
	issuers[0].is_once = true;
	ck_assert_int_eq(
	    check(usual("{\"jti\": \"1\", \"aud\": \"x\"}")), OUTCOME_NO);
	ck_assert_int_eq(check(usual("{\"jti\": \"1\"}")), OUTCOME_YES);
}
END_TEST

START_TEST(used_token_is_remembered_by_the_next_verifier)
{
	const char *token = usual("{\"jti\": \"1\"}");

	issuers[0].is_once = true;
	ck_assert_int_eq(check(token), OUTCOME_YES);
	tokens_free(tokens);
	tokens = NULL;
	ck_assert_int_eq(check(token), OUTCOME_SPENT);
	ck_assert_str_eq(
	    outcome.reason, "it has opened a connection before");
}
END_TEST

START_TEST(used_token_is_remembered_for_any_skew_that_may_come)
{
	const char *token = usual("{\"jti\": \"1\", \"exp\": 1800000001}");
	const char *other = usual("{\"jti\": \"2\", \"exp\": 1800000001}");
	struct text used = text_of(token), unused = text_of(other);
	int64_t last = NOW + 1 + TOKEN_SKEW_MAX_S - 1;

	issuers[0].is_once = true;
	issuers[0].skew_s = 0;
	ck_assert_int_eq(check(token), OUTCOME_YES);
	ck_assert_int_eq(outcome.token.expires_at, NOW + 1);
	tokens_free(tokens);
	tokens = NULL;
	issuers[0].skew_s = TOKEN_SKEW_MAX_S;
	ck_assert_int_eq(check(token), OUTCOME_SPENT);
	ck_assert_int_eq(token_check(tokens, used, last, &outcome), OUTCOME_SPENT);
	ck_assert_str_eq(
	    outcome.reason, "it has opened a connection before");
	/* which would open one then, had it not */
	ck_assert_int_eq(
	    token_check(tokens, unused, last, &outcome), OUTCOME_YES);
	ck_assert_int_eq(
	    token_check(tokens, unused, last + 1, &outcome), OUTCOME_NO);
	ck_assert_str_eq(outcome.reason, "expired 300 s ago");
}
END_TEST

START_TEST(without_memory_of_used_tokens_none_is_believed)
{
	issuers[0].is_once = true;
	scratch_write("tokens", "somebody's diary");
	ck_assert_int_eq(
	    check(usual("{\"jti\": \"1\"}")), OUTCOME_FAILED);
	ck_assert_str_eq(outcome.reason, "no memory of used tokens");
	ck_assert_uint_eq(diagnostics_count(diagnostics), 1);
}
END_TEST

START_TEST(issuer_whose_keys_are_unreadable_is_not_believed)
{
	issuers[0].keys = TEXT("/nowhere/jwks.json");
	ck_assert_int_eq(check(usual("{}")), OUTCOME_FAILED);
	ck_assert_str_eq(
	    outcome.reason, "the issuer's keys could not be read");
	/* and the other's tokens are still read */
	ck_assert_int_eq(
	    check(usual("{\"iss\": \"https://other.example\"}")), OUTCOME_YES);
}
END_TEST

#define LOOP(t, test, table)                                                   \
	tcase_add_loop_test(t, test, 0, sizeof(table) / sizeof((table)[0]))

static Suite *
suite(void)
{
	Suite *s = suite_create("token");
	TCase *t = tcase_create("token");

	tcase_add_unchecked_fixture(t, maker_start, maker_end);
	tcase_add_checked_fixture(t, setup, teardown);
	LOOP(t, token_of_each_algorithm_is_believed, signed_by);
	LOOP(t, claims_become_facts, goods);
	LOOP(t, claims_that_are_wrong_are_refused, bads);
	LOOP(t, headers_that_are_wrong_are_refused, headers);
	LOOP(t, headers_that_are_right_are_taken, fine_headers);
	LOOP(t, required_type_is_required, types);
	LOOP(t, texts_that_are_no_tokens_are_refused, forms);
	tcase_add_test(t, doubled_claims_are_refused);
	tcase_add_test(t, long_tokens_are_refused);
	tcase_add_test(t, long_chains_are_refused);
	tcase_add_test(t, more_groups_than_there_is_room_for_are_refused);
	tcase_add_test(t, parts_of_two_tokens_are_no_token);
	tcase_add_test(t, algorithms_of_the_issuer_are_the_only_ones);
	tcase_add_test(t, keys_of_one_issuer_sign_nothing_for_another);
	tcase_add_test(t, claims_are_mapped_as_the_entry_says);
	LOOP(t, claims_that_could_be_read_two_ways_are_refused, unclear);
	tcase_add_test(t, actor_behind_the_actor_is_found_step_by_step_only);
	tcase_add_test(t, actor_is_never_lost_for_want_of_a_mapping);
	tcase_add_test(t, without_skew_a_token_ends_on_the_second);
	tcase_add_test(t, token_may_be_used_again_where_that_is_allowed);
	tcase_add_test(t, token_is_used_once_where_that_is_asked_for);
	tcase_add_test(
	    t, token_without_an_id_is_known_by_all_that_was_signed);
	tcase_add_test(t, refused_token_has_not_been_used);
	tcase_add_test(t, used_token_is_remembered_by_the_next_verifier);
	tcase_add_test(
	    t, used_token_is_remembered_for_any_skew_that_may_come);
	tcase_add_test(t, without_memory_of_used_tokens_none_is_believed);
	tcase_add_test(t, issuer_whose_keys_are_unreadable_is_not_believed);
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	return suite_run(suite());
}
