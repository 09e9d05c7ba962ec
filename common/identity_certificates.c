/*
 * identity_certificates.c - `certificate:` of people and agents.
 *
 * The rule: a name in a certificate proves one subject; a name that would
 * prove two proves nothing until somebody says which.
 */
#include "common/identity_certificates.h"

#include <stdlib.h>

#include "common/certificate_name.h"

/* A name in a certificate, and who says it is his. */
struct claim {
	struct text name, whose;
	const struct node *at;
};

struct claims {
	struct claim *list;
	size_t count;
};

static size_t
count_names(const struct identities *ids)
{
	size_t i, count = 0;

	for (i = 0; i < ids->person_count; i++)
		count += ids->people[i].certificate_count;
	for (i = 0; i < ids->agent_count; i++)
		count += ids->agents[i].certificate_count;
	return count;
}

/* The entry, spelled as a certificate's own names are. */
static void
name_spell(struct reading *r, const struct node *at, struct text *name)
{
	char spelled[CERTIFICATE_NAME_MAX];
	const char *wrong = certificate_name_read(*name, spelled);
	size_t len;
	char *kept;

	if (wrong != NULL) {
		reading_complain(r, at, "%s", wrong);
		return;
	}
	len = strlen(spelled);
	kept = reading_array(r, len + 1, 1);
	if (kept == NULL)
		return;
	memcpy(kept, spelled, len + 1);
	*name = (struct text){kept, len};
}

static void
subject_claim(struct reading *r, struct claims *c, const struct pair *subject,
    struct text *names, size_t count)
{
	const struct node *at = yaml_get(subject->value, "certificate");
	size_t i;

	for (i = 0; i < count; i++) {
		if (names[i].len == 0)
			continue; /* complained of already */
		name_spell(r, reading_scalar(at, i), &names[i]);
		c->list[c->count++] = (struct claim){
		    names[i], subject->key->text, reading_scalar(at, i)};
	}
}

/* By name, and where it stands: the later one is to be complained about. */
static int
claim_compare(const void *a, const void *b)
{
	const struct claim *one = a, *other = b;
	size_t len = one->name.len < other->name.len ? one->name.len
						     : other->name.len;
	int order = len == 0 ? 0 : memcmp(one->name.at, other->name.at, len);

	if (order == 0)
		order = (one->name.len > other->name.len) -
		    (one->name.len < other->name.len);
	if (order == 0)
		order = (one->at->line > other->at->line) -
		    (one->at->line < other->at->line);
	if (order == 0)
		order = (one->at->column > other->at->column) -
		    (one->at->column < other->at->column);
	return order;
}

void
identity_certificates_check(struct reading *r, const struct node *people,
    const struct node *agents, struct identities *ids)
{
	struct claims c = {NULL, 0};
	size_t i, count = count_names(ids);

	if (count > 0)
		c.list = reading_array(r, count, sizeof(*c.list));
	if (c.list == NULL)
		return;
	for (i = 0; i < ids->person_count; i++)
		subject_claim(r, &c, &people->pairs[i],
		    ids->people[i].certificates,
		    ids->people[i].certificate_count);
	for (i = 0; i < ids->agent_count; i++)
		subject_claim(r, &c, &agents->pairs[i],
		    ids->agents[i].certificates,
		    ids->agents[i].certificate_count);
	qsort(c.list, c.count, sizeof(*c.list), claim_compare);
	for (i = 1; i < c.count; i++) {
		if (text_is(c.list[i].name, c.list[i - 1].name))
			reading_complain(r, c.list[i].at,
			    "this certificate is already that of `%s`",
			    c.list[i - 1].whose.at);
	}
}
