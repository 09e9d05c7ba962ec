/*
 * token_read.c - `tokens:` of identities.yaml.
 *
 * The rule: an entry says for whom a token must be and which claim is whom;
 * what it leaves out is the strict choice.
 */
#include "common/token_read.h"

enum { CLAIM_MAX = 255 };

#define WORD(name, word) word,
static const char *const algorithm_words[] = {TOKEN_ALGORITHMS(WORD)};
#undef WORD

uint64_t
token_algorithm_bit(struct text name)
{
	size_t i;

	for (i = 0; i < TOKEN_ALGORITHM_COUNT; i++) {
		if (text_is(name, text_of(algorithm_words[i])))
			return UINT64_C(1) << i;
	}
	return 0;
}

static const char *const *
algorithms(size_t *count_out)
{
	*count_out = TOKEN_ALGORITHM_COUNT;
	return algorithm_words;
}

static const struct vocabulary algorithm_vocabulary = {
    .what = "signature algorithm",
    .bits = token_algorithm_bit,
    .words = algorithms,
};

/* A claim's path: names with dots between, or a name that has dots itself. */
static void
check_claim(struct reading *r, const struct node *map, const char *key,
    struct text path)
{
	const struct node *at = yaml_get(map, key);

	if (path.len > CLAIM_MAX)
		reading_complain(r, at, "longer than %d bytes", CLAIM_MAX);
	else if (path.len > 0 &&
	    (path.at[0] == '.' || path.at[path.len - 1] == '.'))
		reading_complain(r, at,
		    "`%.80s`: a claim's name neither starts nor ends with a "
		    "dot", path.at);
}

static void
read_keys(struct reading *r, const struct node *n, void *field)
{
	struct text *keys = field, word;

	if (reading_text(r, n, &word))
		*keys = text_of(reading_path(r, n->file, word.at));
}

static void
check_audiences(struct reading *r, const struct node *map,
    const struct token_issuer *t)
{
	size_t i;

	for (i = 0; i < t->audience_count; i++) {
		if (t->audiences[i].len > TOKEN_ISSUER_MAX)
			reading_complain(r, yaml_get(map, "audience"),
			    "longer than %d bytes", TOKEN_ISSUER_MAX);
	}
}

static void
check_issuer(struct reading *r, const struct node *map, void *out)
{
	static const struct text none = {NULL, 0};
	struct token_issuer *t = out;
	const struct node *keys = yaml_get(map, "keys");

	if (keys != NULL) {
		t->keys_line = keys->line;
		t->keys_column = keys->column;
	}
	if (t->algorithms == 0)
		t->algorithms = (1U << TOKEN_ALGORITHM_COUNT) - 1;
	if (text_is(t->agent, TEXT("none")))
		t->agent = none;
	if (text_is(t->groups, TEXT("none")))
		t->groups = none;
	if (t->issuer.len > TOKEN_ISSUER_MAX)
		reading_complain(r, yaml_get(map, "issuer"),
		    "longer than %d bytes", TOKEN_ISSUER_MAX);
	check_audiences(r, map, t);
	check_claim(r, map, "user", t->user);
	check_claim(r, map, "agent", t->agent);
	check_claim(r, map, "groups", t->groups);
}

#define ISSUER(field) .offset = offsetof(struct token_issuer, field)

const struct schema token_issuer_schema = {
    .what = "an issuer of tokens",
    .size = sizeof(struct token_issuer),
    .check = check_issuer,
    .rows = (const struct row[]){
	{"issuer", FIELD_TEXT, ISSUER(issuer), .is_required = true},
	{"audience", FIELD_TEXTS, ISSUER(audiences),
	    .count_offset = offsetof(struct token_issuer, audience_count),
	    .is_required = true},
	{"keys", FIELD_CUSTOM, ISSUER(keys), .is_required = true,
	    .read = read_keys},
	{"user", FIELD_TEXT, ISSUER(user), .fallback = "sub"},
	{"agent", FIELD_TEXT, ISSUER(agent), .fallback = "act.sub"},
	{"groups", FIELD_TEXT, ISSUER(groups)},
	{"algorithms", FIELD_BITS, ISSUER(algorithms),
	    .vocabulary = &algorithm_vocabulary},
	{"skew", FIELD_SECONDS, ISSUER(skew_s), .fallback = "30",
	    .max = TOKEN_SKEW_MAX_S},
	{"required_type", FIELD_TEXT, ISSUER(required_type)},
	{"once", FIELD_BOOL, ISSUER(is_once), .fallback = "true"},
	{0},
    },
};

/* Which entry a token belongs to must not hang on their order. */
void
token_issuers_check(struct reading *r, const struct node *list,
    const struct token_issuer *issuers, size_t count)
{
	size_t i, k;

	if (count > TOKEN_ISSUERS_MAX) {
		reading_complain(
		    r, list, "more than %d issuers", TOKEN_ISSUERS_MAX);
		return;
	}
	for (i = 0; i < count; i++) {
		for (k = 0; k < i; k++) {
			if (issuers[i].issuer.len > 0 &&
			    text_is(issuers[i].issuer, issuers[k].issuer))
				reading_complain(r, list->items[i],
				    "issuer `%.80s` has an entry already",
				    issuers[i].issuer.at);
		}
	}
}
