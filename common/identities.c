/*
 * identities.c - identities.yaml, and logins resolved against it.
 *
 * The rule: a name means one subject, a person or an agent, never both; who
 * is not named here does not exist.
 */
#include <ctype.h>
#include <pwd.h>
#include <string.h>

#include "common/config.h"
#include "common/identity_certificates.h"
#include "common/scram.h"
#include "common/token_read.h"
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
read_uids(struct reading *r, const struct node *n, uid_t **uids_out,
    size_t *count_out)
{
	size_t count = reading_scalar_count(r, n), i;

	if (count == 0 || count > UIDS_MAX) {
		reading_complain(r, n, "expected 1 to %d users", UIDS_MAX);
		return;
	}
	*uids_out = reading_array(r, count, sizeof(**uids_out));
	for (i = 0; *uids_out != NULL && i < count; i++) {
		if (read_one_uid(
			r, reading_scalar(n, i), &(*uids_out)[*count_out]))
			++*count_out;
	}
}

static void
read_person_uids(struct reading *r, const struct node *n, void *out)
{
	struct person *p = out;

	read_uids(r, n, &p->uids, &p->uid_count);
}

static void
read_agent_uids(struct reading *r, const struct node *n, void *out)
{
	struct agent *a = out;

	read_uids(r, n, &a->uids, &a->uid_count);
}

/* A name of a file in /etc/pam.d, and nothing that leads out of it. */
static void
read_service(struct reading *r, const struct node *n, void *field)
{
	struct text name = n->text;
	bool is_fine = n->kind == NODE_SCALAR && name.len > 0 &&
	    name.len <= IDENTITY_NAME_MAX;
	size_t i;

	for (i = 0; is_fine && i < name.len; i++)
		is_fine = isalnum((unsigned char)name.at[i]) ||
		    name.at[i] == '-' || name.at[i] == '_';
	if (is_fine)
		*(const char **)field = name.at;
	else
		reading_complain(r, n,
		    "a service of PAM has letters, digits, - and _");
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
check_one_password(struct reading *r, const struct node *map)
{
	if (yaml_get(map, "password") != NULL && yaml_get(map, "pam") != NULL)
		reading_complain(r, yaml_get(map, "pam"),
		    "`password` and `pam`: a client can give one password "
		    "only");
}

static void
check_person(struct reading *r, const struct node *map, void *out)
{
	check_group_count(r, map, ((struct person *)out)->group_count);
	check_one_password(r, map);
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

/* There is one password in a login: the agent's or the person's. */
static void
check_needs_person(
    struct reading *r, const struct node *map, const struct agent *a)
{
	if (a->needs_person && (a->password.len > 0 || a->pam != NULL))
		reading_complain(r, yaml_get(map, "needs_person"),
		    "the password is the person's then: let a certificate or "
		    "the executable prove the agent");
	if (a->needs_person && a->certificate_count == 0 &&
	    a->executable.len == 0 && a->uid_count == 0)
		reading_complain(r, yaml_get(map, "needs_person"),
		    "nothing else proves the agent: give it a `certificate`, "
		    "`executable` or `uid`");
}

static void
check_agent(struct reading *r, const struct node *map, void *out)
{
	const struct agent *a = out;

	check_group_count(r, map, a->group_count);
	check_one_password(r, map);
	check_needs_person(r, map, a);
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
	{"pam", FIELD_CUSTOM, PERSON(pam), .read = read_service},
	{"certificate", FIELD_TEXTS, PERSON(certificates),
	    .count_offset = offsetof(struct person, certificate_count)},
	{"uid", FIELD_CUSTOM, .read = read_person_uids},
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
	{"pam", FIELD_CUSTOM, AGENT(pam), .read = read_service},
	{"certificate", FIELD_TEXTS, AGENT(certificates),
	    .count_offset = offsetof(struct agent, certificate_count)},
	{"executable", FIELD_TEXT, AGENT(executable)},
	{"sha256", FIELD_TEXT, AGENT(sha256)},
	{"uid", FIELD_CUSTOM, .read = read_agent_uids},
	{"needs_person", FIELD_BOOL, AGENT(needs_person),
	    .fallback = "false"},
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
	{"tokens", FIELD_STRUCTS,
	    .offset = offsetof(struct identities, issuers),
	    .count_offset = offsetof(struct identities, issuer_count),
	    .may_be_empty = true, .schema = &token_issuer_schema},
	{0},
    },
};

/* --- what only the whole file can tell ----------------------------------- */

static void
check_uids(struct reading *r, const struct node *map,
    const struct identities *ids, size_t index)
{
	const struct person *p = &ids->people[index], *other;
	size_t i;

	for (i = 0; i < p->uid_count; i++) {
		other = identity_uid_owner(ids->people, index, p->uids[i]);
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

		if (identity_person(ids, ids->agents[i].name) != NULL)
			reading_complain(r, pair->key,
			    "`%s` is a person already: a name is one or the "
			    "other", pair->key->text.at);
		who_check_list(r, yaml_get(pair->value, "acts_for"), ids);
	}
	identity_certificates_check(r, people, agents, out);
	token_issuers_check(r, yaml_get(map, "tokens"), ids->issuers,
	    ids->issuer_count);
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

/* --- accounts of the system ---------------------------------------------- */

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
		    identity_uid_owner(ids->people, ids->person_count, uid) != NULL)
			continue;
		p->uids = arena_array(a, 1, sizeof(*p->uids));
		if (p->uids == NULL)
			return ERR_MEMORY;
		p->uids[0] = uid;
		p->uid_count = 1;
	}
	return ERR_NONE;
}
