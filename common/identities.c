/*
 * identities.c - identities.yaml, and logins resolved against it.
 *
 * The rule: a name means one subject, a person or an agent, never both; who
 * is not named here does not exist.
 */
#include <pwd.h>
#include <string.h>

#include "common/config.h"
#include "common/scram.h"
#include "common/who.h"

enum { UIDS_MAX = 64, SHA256_HEX = 64 };

/* --- reading ------------------------------------------------------------- */

static void
check_name(struct reading *r, const struct node *key)
{
	struct text name = key->text;
	bool is_fine = name.len >= 1 && name.len <= IDENTITY_NAME_MAX;
	size_t i;

	for (i = 0; i < name.len; i++) {
		unsigned char c = (unsigned char)name.at[i];

		is_fine = is_fine && c >= ' ' && c != 0x7f &&
		    strchr("+*?", c) == NULL;
	}
	if (!is_fine || text_is(name, TEXT("none")))
		reading_complain(r, key,
		    "a name has 1 to %d bytes, no control characters, no +, "
		    "* or ?, and is not `none`", IDENTITY_NAME_MAX);
}

static void
name_person(struct reading *r, const struct node *key, void *out)
{
	check_name(r, key);
	((struct person *)out)->name = key->text;
}

static void
name_agent(struct reading *r, const struct node *key, void *out)
{
	check_name(r, key);
	((struct agent *)out)->name = key->text;
}

/* The complaint never repeats the value: it is a secret. */
static void
read_password(struct reading *r, const struct node *n, void *field)
{
	struct scram_verifier verifier;
	struct text *password = field;

	if (n->kind == NODE_SCALAR &&
	    scram_verifier_parse(n->text, &verifier) == ERR_NONE)
		*password = n->text;
	else
		reading_complain(r, n,
		    "not a SCRAM-SHA-256 verifier: make one with `sallyport "
		    "passwd`");
	explicit_bzero(&verifier, sizeof(verifier));
}

static bool
read_one_uid(struct reading *r, const struct node *n, uid_t *out)
{
	const struct passwd *account;
	uint64_t number;

	if (n->text.len > 0 && !n->is_quoted && n->text.at[0] >= '0' &&
	    n->text.at[0] <= '9') {
		/* (uid_t)-1 is nobody's: it means "none" to the kernel */
		if (!reading_number(r, n, 0, UINT32_MAX - 1, &number))
			return false;
		*out = (uid_t)number;
		return true;
	}
	account = getpwnam(n->text.at);
	if (account == NULL) {
		reading_complain(r, n, "no such operating system user: `%.80s`",
		    n->text.at);
		return false;
	}
	*out = account->pw_uid;
	return true;
}

static void
read_uids(struct reading *r, const struct node *n, void *out)
{
	struct person *p = out;
	size_t count = reading_scalar_count(r, n), i;

	if (count == 0 || count > UIDS_MAX) {
		reading_complain(r, n, "expected 1 to %d users", UIDS_MAX);
		return;
	}
	p->uids = reading_array(r, count, sizeof(*p->uids));
	for (i = 0; p->uids != NULL && i < count; i++) {
		if (read_one_uid(
			r, reading_scalar(n, i), &p->uids[p->uid_count]))
			p->uid_count++;
	}
}

static void
check_group_count(
    struct reading *r, const struct node *map, size_t group_count)
{
	if (group_count > IDENTITY_GROUPS_MAX)
		reading_complain(r, yaml_get(map, "groups"),
		    "more than %d groups", IDENTITY_GROUPS_MAX);
}

static void
check_person(struct reading *r, const struct node *map, void *out)
{
	check_group_count(r, map, ((struct person *)out)->group_count);
}

static bool
is_sha256(struct text t)
{
	size_t i;

	for (i = 0; i < t.len; i++) {
		if (strchr("0123456789abcdef", t.at[i]) == NULL)
			return false;
	}
	return t.len == SHA256_HEX;
}

static void
check_agent(struct reading *r, const struct node *map, void *out)
{
	const struct agent *a = out;

	check_group_count(r, map, a->group_count);
	if (a->sha256.len > 0 && !is_sha256(a->sha256))
		reading_complain(r, yaml_get(map, "sha256"),
		    "expected %d lower-case hexadecimal digits", SHA256_HEX);
	if (a->sha256.len > 0 && a->executable.len == 0)
		reading_complain(r, yaml_get(map, "sha256"),
		    "`sha256` without `executable`");
	if (a->executable.len > 0 && a->executable.at[0] != '/')
		reading_complain(r, yaml_get(map, "executable"),
		    "expected an absolute path");
}

#define PERSON(field) .offset = offsetof(struct person, field)
#define AGENT(field) .offset = offsetof(struct agent, field)

static const struct schema person_schema = {
    .what = "a person",
    .size = sizeof(struct person),
    .name = name_person,
    .check = check_person,
    .rows = (const struct row[]){
	{"groups", FIELD_TEXTS, PERSON(groups),
	    .count_offset = offsetof(struct person, group_count),
	    .may_be_empty = true},
	{"password", FIELD_CUSTOM, PERSON(password), .read = read_password},
	{"uid", FIELD_CUSTOM, .read = read_uids},
	{0},
    },
};

static const struct schema agent_schema = {
    .what = "an agent",
    .size = sizeof(struct agent),
    .name = name_agent,
    .check = check_agent,
    .rows = (const struct row[]){
	{"groups", FIELD_TEXTS, AGENT(groups),
	    .count_offset = offsetof(struct agent, group_count),
	    .may_be_empty = true},
	{"password", FIELD_CUSTOM, AGENT(password), .read = read_password},
	{"certificate", FIELD_TEXT, AGENT(certificate)},
	{"executable", FIELD_TEXT, AGENT(executable)},
	{"sha256", FIELD_TEXT, AGENT(sha256)},
	{"acts_for", FIELD_STRUCTS, AGENT(acts_for),
	    .count_offset = offsetof(struct agent, acts_for_count),
	    .may_be_empty = true, .schema = &who_person_schema},
	{0},
    },
};

static void check_identities(
    struct reading *r, const struct node *map, void *out);

static const struct schema identities_schema = {
    .what = "the identities",
    .size = sizeof(struct identities),
    .check = check_identities,
    .rows = (const struct row[]){
	{"people", FIELD_NAMED,
	    .offset = offsetof(struct identities, people),
	    .count_offset = offsetof(struct identities, person_count),
	    .may_be_empty = true, .schema = &person_schema},
	{"agents", FIELD_NAMED,
	    .offset = offsetof(struct identities, agents),
	    .count_offset = offsetof(struct identities, agent_count),
	    .may_be_empty = true, .schema = &agent_schema},
	{"tokens", FIELD_NOTHING, .not_yet = true, .fallback = "[]"},
	{0},
    },
};

/* --- what only the whole file can tell ----------------------------------- */

static const struct person *
find_person(const struct identities *ids, struct text name)
{
	size_t i;

	for (i = 0; i < ids->person_count; i++) {
		if (text_is(ids->people[i].name, name))
			return &ids->people[i];
	}
	return NULL;
}

static const struct agent *
find_agent(const struct identities *ids, struct text name)
{
	size_t i;

	for (i = 0; i < ids->agent_count; i++) {
		if (text_is(ids->agents[i].name, name))
			return &ids->agents[i];
	}
	return NULL;
}

/* Whose `uid:` entry names this user; NULL: nobody's. */
static const struct person *
find_uid(const struct person *people, size_t count, uid_t uid)
{
	size_t i, k;

	for (i = 0; i < count; i++) {
		for (k = 0; k < people[i].uid_count; k++) {
			if (people[i].uids[k] == uid)
				return &people[i];
		}
	}
	return NULL;
}

static void
check_uids(struct reading *r, const struct node *map,
    const struct identities *ids, size_t index)
{
	const struct person *p = &ids->people[index], *other;
	size_t i;

	for (i = 0; i < p->uid_count; i++) {
		other = find_uid(ids->people, index, p->uids[i]);
		if (other != NULL)
			reading_complain(r, yaml_get(map, "uid"),
			    "uid %lu is already `%s`",
			    (unsigned long)p->uids[i], other->name.at);
	}
}

static void
check_identities(struct reading *r, const struct node *map, void *out)
{
	const struct identities *ids = out;
	const struct node *people = yaml_get(map, "people");
	const struct node *agents = yaml_get(map, "agents");
	size_t i;

	for (i = 0; i < ids->person_count; i++)
		check_uids(r, people->pairs[i].value, ids, i);
	for (i = 0; i < ids->agent_count; i++) {
		const struct pair *pair = &agents->pairs[i];

		if (find_person(ids, ids->agents[i].name) != NULL)
			reading_complain(r, pair->key,
			    "`%s` is a person already: a name is one or the "
			    "other", pair->key->text.at);
		who_check_list(r, yaml_get(pair->value, "acts_for"), ids);
	}
}

enum err
identities_load(const char *file, struct arena *a, struct diagnostics *d,
    struct identities *out)
{
	struct reading r = {.arena = a, .diagnostics = d};
	size_t before = diagnostics_count(d);
	struct node *root;
	enum err err;

	memset(out, 0, sizeof(*out));
	err = yaml_load(file, a, d, &root);
	if (root == NULL)
		return err;
	schema_read(&r, &identities_schema, root, out);
	if (r.err != ERR_NONE)
		return r.err;
	return diagnostics_count(d) == before ? ERR_NONE : ERR_INVALID;
}

/* --- asking -------------------------------------------------------------- */

static bool
may_act_for(const struct agent *a, const struct person *p)
{
	struct identity person = {.user = p->name,
	    .groups = p->groups,
	    .group_count = p->group_count};
	size_t i;

	for (i = 0; i < a->acts_for_count; i++) {
		if (who_matches(&a->acts_for[i], &person))
			return true;
	}
	return false;
}

static enum err
resolve_person(const struct person *p, struct identity *out)
{
	if (p == NULL)
		return ERR_NOT_FOUND;
	out->user = p->name;
	out->groups = p->groups;
	out->group_count = p->group_count;
	return ERR_NONE;
}

static enum err
resolve_single(const struct identities *ids, struct text name,
    struct identity *out)
{
	const struct agent *a = find_agent(ids, name);

	if (a == NULL)
		return resolve_person(find_person(ids, name), out);
	out->agent = a->name;
	out->groups = a->groups;
	out->group_count = a->group_count;
	return ERR_NONE;
}

enum err
identity_resolve(const struct identities *ids, struct text login,
    struct identity *out, struct text *prover_out)
{
	const char *plus = login.len == 0 ? NULL
					  : memchr(login.at, '+', login.len);
	const struct person *p;
	const struct agent *a;
	enum err err;

	memset(out, 0, sizeof(*out));
	*prover_out = login;
	if (plus == NULL)
		return resolve_single(ids, login, out);
	p = find_person(ids,
	    (struct text){login.at, (size_t)(plus - login.at)});
	a = find_agent(ids,
	    (struct text){plus + 1,
		login.len - (size_t)(plus + 1 - login.at)});
	if (p == NULL || a == NULL)
		return ERR_NOT_FOUND;
	if (!may_act_for(a, p))
		return ERR_REFUSED;
	err = resolve_person(p, out);
	out->agent = a->name;
	*prover_out = a->name;
	return err;
}

const struct person *
identity_by_uid(const struct identities *ids, uid_t uid)
{
	return find_uid(ids->people, ids->person_count, uid);
}

/* Is there an account of this person's name, and does it own its uid? */
static bool
has_account(const struct person *p, uid_t *uid_out)
{
	const struct passwd *account = getpwnam(p->name.at);

	if (account == NULL)
		return false;
	*uid_out = account->pw_uid;
	account = getpwuid(*uid_out);
	return account != NULL &&
	    text_is(p->name, text_of(account->pw_name));
}

enum err
identities_find_accounts(struct identities *ids, struct arena *a)
{
	size_t i;
	uid_t uid;

	for (i = 0; i < ids->person_count; i++) {
		struct person *p = &ids->people[i];

		/* Who has a `uid:` is that user and no other of that name. */
		if (p->uid_count > 0 || !has_account(p, &uid) ||
		    find_uid(ids->people, ids->person_count, uid) != NULL)
			continue;
		p->uids = arena_array(a, 1, sizeof(*p->uids));
		if (p->uids == NULL)
			return ERR_MEMORY;
		p->uids[0] = uid;
		p->uid_count = 1;
	}
	return ERR_NONE;
}
