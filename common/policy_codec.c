/*
 * policy_codec.c - the published form of a policy.
 *
 * The rule: the tables here are the whole format; whoever changes one, or a
 * word of the vocabulary, has made another version, and the fingerprint in
 * the header says so.  Passwords have no row: they are never published.
 */
#include <limits.h>
#include <string.h>

#include "common/codec.h"
#include "common/detect.h"
#include "common/policy.h"
#include "common/policy_when.h"

enum { FORM_MAX = 64 * 1024 * 1024 /* bytes */ };

static const char magic[8] = {'S', 'L', 'Y', 'P', 'O', 'L', 'C', 'Y'};

/* What stands before the policy. */
struct head {
	uint64_t format;
	uint64_t words; /* fingerprint of the vocabulary */
};

static const struct shape head_shape = {
    .size = sizeof(struct head),
    .parts = (const struct part[]){
	CODEC_NUMBER(struct head, format, UINT64_MAX),
	CODEC_NUMBER(struct head, words, UINT64_MAX),
	CODEC_END,
    },
};

#define TEXTS(s, list) CODEC_LIST(s, list, list##_count, &codec_text_shape)
#define BITS(n) (BIT(n) - 1)

static const struct shape who_shape = {
    .size = sizeof(struct who),
    .parts = (const struct part[]){
	TEXTS(struct who, user),
	TEXTS(struct who, agent),
	TEXTS(struct who, group),
	TEXTS(struct who, via),
	TEXTS(struct who, from),
	TEXTS(struct who, process),
	CODEC_NUMBER(struct who, user_none, 1),
	CODEC_NUMBER(struct who, agent_none, 1),
	CODEC_END,
    },
};

static const struct shape uid_shape = {
    .size = sizeof(uid_t),
    .parts = (const struct part[]){
	{.type = PART_NUMBER, .size = sizeof(uid_t), .max = UINT32_MAX},
	CODEC_END,
    },
};

static const struct shape person_shape = {
    .size = sizeof(struct person),
    .parts = (const struct part[]){
	CODEC_TEXT(struct person, name),
	CODEC_LIST(struct person, groups, group_count, &codec_text_shape),
	CODEC_LIST(struct person, uids, uid_count, &uid_shape),
	CODEC_END,
    },
};

static const struct shape agent_shape = {
    .size = sizeof(struct agent),
    .parts = (const struct part[]){
	CODEC_TEXT(struct agent, name),
	CODEC_LIST(struct agent, groups, group_count, &codec_text_shape),
	/* no proof by themselves: what the porter is to look at */
	CODEC_TEXT(struct agent, executable),
	CODEC_TEXT(struct agent, sha256),
	CODEC_LIST(struct agent, acts_for, acts_for_count, &who_shape),
	CODEC_END,
    },
};

static const struct shape identities_shape = {
    .size = sizeof(struct identities),
    .parts = (const struct part[]){
	CODEC_LIST(struct identities, people, person_count, &person_shape),
	CODEC_LIST(struct identities, agents, agent_count, &agent_shape),
	CODEC_END,
    },
};

static const struct shape protect_shape = {
    .size = sizeof(struct protect),
    .parts = (const struct part[]){
	CODEC_TEXT(struct protect, name),
	CODEC_LIST(struct protect, columns, column_count, &codec_text_shape),
	CODEC_NUMBER(struct protect, detectors, BITS(DETECT_MAX)),
	CODEC_NUMBER(struct protect, mask, MASK_MAX - 1),
	CODEC_LIST(struct protect, clear_for, clear_for_count, &who_shape),
	CODEC_NUMBER(struct protect, derived, DERIVED_DENY),
	CODEC_NUMBER(struct protect, predicates, PREDICATES_DENY),
	CODEC_END,
    },
};

static const struct shape label_shape = {
    .size = sizeof(struct label),
    .parts = (const struct part[]){
	CODEC_TEXT(struct label, key),
	CODEC_TEXT(struct label, value),
	CODEC_END,
    },
};

static const struct shape on_shape = {
    .size = sizeof(struct on),
    .parts = (const struct part[]){
	TEXTS(struct on, upstream),
	TEXTS(struct on, database),
	CODEC_LIST(struct on, labels, label_count, &label_shape),
	CODEC_END,
    },
};

static const struct shape hours_shape = {
    .size = sizeof(struct hours),
    .parts = (const struct part[]){
	CODEC_NUMBER(struct hours, from, WHEN_MINUTES),
	CODEC_NUMBER(struct hours, to, WHEN_MINUTES),
	CODEC_END,
    },
};

/* Signed numbers travel as the unsigned ones of the same bits. */
static const struct shape offset_shape = {
    .size = sizeof(struct offset),
    .parts = (const struct part[]){
	CODEC_NUMBER(struct offset, since, UINT64_MAX),
	CODEC_NUMBER(struct offset, seconds, UINT64_MAX),
	CODEC_END,
    },
};

static const struct shape when_shape = {
    .size = sizeof(struct when),
    .parts = (const struct part[]){
	CODEC_NUMBER(struct when, days, WHEN_DAYS),
	CODEC_LIST(struct when, hours, hours_count, &hours_shape),
	CODEC_LIST(struct when, offsets, offset_count, &offset_shape),
	CODEC_TEXT(struct when, zone),
	CODEC_END,
    },
};

static const struct shape limits_shape = {
    .size = sizeof(struct limits),
    .parts = (const struct part[]){
	CODEC_NUMBER(struct limits, rows, UINT64_MAX),
	CODEC_NUMBER(struct limits, seconds, UINT64_MAX),
	CODEC_NUMBER(struct limits, statements_per_minute, UINT64_MAX),
	CODEC_NUMBER(struct limits, changed_rows, UINT64_MAX),
	CODEC_END,
    },
};

static const struct shape rule_shape = {
    .size = sizeof(struct rule),
    .parts = (const struct part[]){
	CODEC_TEXT(struct rule, name),
	CODEC_TEXT(struct rule, file),
	CODEC_NUMBER(struct rule, line, SIZE_MAX),
	CODEC_STRUCT(struct rule, who, &who_shape),
	CODEC_STRUCT(struct rule, on, &on_shape),
	CODEC_NUMBER(struct rule, does, BITS(OP_MAX)),
	TEXTS(struct rule, to),
	CODEC_NUMBER(struct rule, has, BITS(TRAIT_MAX)),
	CODEC_NUMBER(struct rule, lacks, BITS(TRAIT_MAX)),
	CODEC_TEXT(struct rule, matches),
	CODEC_OPTION(struct rule, when, &when_shape),
	CODEC_NUMBER(struct rule, then, THEN_DENY),
	CODEC_TEXT(struct rule, say),
	CODEC_STRUCT(struct rule, limits, &limits_shape),
	CODEC_LIST(struct rule, approve_by, approve_by_count, &who_shape),
	CODEC_NUMBER(struct rule, approve_of, UINT_MAX),
	CODEC_NUMBER(struct rule, approve_within_s, UINT_MAX),
	CODEC_END,
    },
};

#define DIALECT(d)                                                             \
	CODEC_TEXT(struct policy, classes_yaml[d]),                            \
	    CODEC_TEXT(struct policy, functions_yaml[d])

static const struct shape policy_shape = {
    .size = sizeof(struct policy),
    .parts = (const struct part[]){
	CODEC_STRUCT(struct policy, identities, &identities_shape),
	CODEC_LIST(struct policy, protects, protect_count, &protect_shape),
	CODEC_LIST(struct policy, rules, rule_count, &rule_shape),
	DIALECT(DIALECT_POSTGRES),
	DIALECT(DIALECT_MYSQL),
	DIALECT(DIALECT_SQLITE),
	CODEC_NUMBER(struct policy, example_count, SIZE_MAX),
	CODEC_END,
    },
};

_Static_assert(DIALECT_MAX == 3, "a row for each dialect");
_Static_assert(OP_MAX < 64 && TRAIT_MAX < 64 && DETECT_MAX < 64,
    "BITS() can be told");

/* Bits mean words only as long as the words stay where they are. */
static uint64_t
words_fingerprint(void)
{
	uint64_t sum = 0;
	int i;

	for (i = 0; i < OP_MAX; i++)
		sum = sum * 31 +
		    text_hash(text_of(operation_name((enum operation)i)));
	for (i = 0; i < TRAIT_MAX; i++)
		sum = sum * 31 + text_hash(text_of(trait_name((enum trait)i)));
	for (i = 0; i < MASK_MAX; i++)
		sum = sum * 31 + text_hash(text_of(mask_name((enum mask)i)));
	for (i = 0; i < DETECT_MAX; i++)
		sum = sum * 31 +
		    text_hash(text_of(detector_name((enum detector)i)));
	return sum;
}

enum err
policy_encode(const struct policy *p, struct arena *a, struct text *out)
{
	struct head head = {POLICY_FORMAT, words_fingerprint()};
	struct buffer b = {.ceiling = FORM_MAX};
	enum err err = ERR_NONE;

	buffer_put(&b, magic, sizeof(magic));
	codec_write(&b, &head_shape, &head);
	codec_write(&b, &policy_shape, p);
	if (b.failed) {
		err = b.len >= FORM_MAX / 2 ? ERR_TOO_LONG : ERR_MEMORY;
	} else {
		*out = (struct text){arena_copy(a, b.bytes, b.len), b.len};
		err = out->at == NULL ? ERR_MEMORY : ERR_NONE;
	}
	buffer_free(&b);
	return err;
}

static enum err
check_head(struct wire *w, struct arena *a)
{
	struct text start = wire_bytes(w, sizeof(magic));
	struct head head;
	enum err err;

	memset(&head, 0, sizeof(head));
	if (w->bad || memcmp(start.at, magic, sizeof(magic)) != 0)
		return ERR_MALFORMED;
	err = codec_read(w, &head_shape, a, &head);
	if (err != ERR_NONE)
		return err;
	return head.format == POLICY_FORMAT &&
		head.words == words_fingerprint()
	    ? ERR_NONE
	    : ERR_VERSION;
}

enum err
policy_decode(struct text form, struct arena *a, struct policy *out)
{
	struct wire w;
	const char *bytes, *message;
	enum err err;

	memset(out, 0, sizeof(*out));
	/* Texts are to live in the arena, wherever the form does. */
	bytes = arena_copy(a, form.at, form.len);
	if (bytes == NULL)
		return ERR_MEMORY;
	w = wire_of(bytes, form.len);
	err = check_head(&w, a);
	if (err == ERR_NONE)
		err = codec_read(&w, &policy_shape, a, out);
	if (err == ERR_NONE)
		err = wire_end(&w);
	if (err == ERR_NONE)
		err = policy_compile(out, "published", a, &message);
	if (err == ERR_NONE)
		return ERR_NONE;
	policy_close(out);
	memset(out, 0, sizeof(*out));
	return err == ERR_INVALID ? ERR_MALFORMED : err;
}
