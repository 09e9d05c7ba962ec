/*
 * who_read.c - `who` maps out of YAML, and the names in them.
 *
 * The rule: a name that nobody has is a slip, and told; a rule about nobody
 * would be one nobody obeys.
 */
#include <string.h>

#include "common/who.h"

/* --- reading ------------------------------------------------------------- */

/* Words without `none`, which is told apart. */
static void
read_names(struct reading *r, const struct node *n, struct text **names,
    size_t *name_count, bool *none)
{
	size_t count = reading_scalar_count(r, n), i;

	if (n->kind == NODE_LIST && n->count == 0)
		reading_complain(r, n, "the list is empty");
	*names = reading_array(r, count, sizeof(**names));
	for (i = 0; *names != NULL && i < count; i++) {
		struct text word;

		if (!reading_text(r, reading_scalar(n, i), &word))
			continue;
		if (text_is(word, TEXT("none")))
			*none = true;
		else
			(*names)[(*name_count)++] = word;
	}
}

static void
read_user(struct reading *r, const struct node *n, void *out)
{
	struct who *who = out;

	read_names(r, n, &who->user, &who->user_count, &who->user_none);
}

static void
read_agent(struct reading *r, const struct node *n, void *out)
{
	struct who *who = out;

	read_names(r, n, &who->agent, &who->agent_count, &who->agent_none);
}

/* What a login can be proved by: the words, and then what can come together,
 * in the order in which it is put down (master/admission.c). */
static const char *const vias[] = {
    "certificate", "process", "scram-sha-256", "token", "pam",
    "certificate+process", "certificate+scram-sha-256", "certificate+token",
    "certificate+pam", "process+scram-sha-256", "process+token",
    "process+pam", "certificate+process+scram-sha-256",
    "certificate+process+token", "certificate+process+pam"};
enum { VIA_WORDS = 5, VIAS = sizeof(vias) / sizeof(*vias) };

static bool
can_be_via(struct text glob)
{
	size_t i;

	for (i = 0; i < VIAS; i++) {
		if (text_glob(glob, text_of(vias[i])))
			return true;
	}
	return false;
}

/* A rule that waits for a proof nobody can bring is a slip. */
static void
check_vias(struct reading *r, const struct node *map, const struct who *who)
{
	size_t i;

	for (i = 0; i < who->via_count; i++) {
		const struct node *word =
		    reading_scalar(yaml_get(map, "via"), i);

		if (can_be_via(word->text))
			continue;
		if (text_suggest(word->text, vias, VIAS) != NULL)
			reading_unknown(r, word, "via", vias, VIAS);
		else
			reading_unknown_word(r, word, "via", vias, VIA_WORDS);
	}
}

static void
check_who(struct reading *r, const struct node *map, void *out)
{
	const struct who *who = out;
	size_t i;

	if (map->count == 0)
		reading_complain(r, map, "says nothing: name somebody");
	check_vias(r, map, who);
	for (i = 0; i < who->from_count; i++) {
		if (who->from[i].len == 0 || who_is_from(who->from[i]))
			continue;
		reading_complain(r, reading_scalar(yaml_get(map, "from"), i),
		    "`%.80s` is neither an address nor a network such as "
		    "10.0.0.0/8 or 2001:db8::/32, nor unix",
		    who->from[i].at);
	}
}

const struct schema who_schema = {
    .what = "a who",
    .size = sizeof(struct who),
    .check = check_who,
    .rows = (const struct row[]){
	{"user", FIELD_CUSTOM, .read = read_user},
	{"agent", FIELD_CUSTOM, .read = read_agent},
	{"group", ROW_TEXTS(who, group)},
	{"via", ROW_TEXTS(who, via)},
	{"from", ROW_TEXTS(who, from)},
	{"process", ROW_TEXTS(who, process)},
	{0},
    },
};

const struct schema who_person_schema = {
    .what = "a description of people",
    .size = sizeof(struct who),
    .check = check_who,
    .rows = (const struct row[]){
	{"user", FIELD_CUSTOM, .read = read_user},
	{"group", ROW_TEXTS(who, group)},
	{0},
    },
};

/* --- names that must exist ----------------------------------------------- */

bool
who_is_glob(struct text word)
{
	return memchr(word.at, '*', word.len) != NULL ||
	    memchr(word.at, '?', word.len) != NULL;
}

/* All names of one kind, gathered for comparing and suggesting. A name in a
 * file's node is NUL-terminated. */
struct names {
	const char **at;
	size_t count;
};

typedef void (*gather_fn)(const struct identities *ids, struct names *out);

static void
gather_users(const struct identities *ids, struct names *out)
{
	size_t i;

	for (i = 0; i < ids->person_count; i++)
		out->at[out->count++] = ids->people[i].name.at;
}

static void
gather_agents(const struct identities *ids, struct names *out)
{
	size_t i;

	for (i = 0; i < ids->agent_count; i++)
		out->at[out->count++] = ids->agents[i].name.at;
}

static void
gather_list(const struct text *list, size_t count, struct names *out)
{
	size_t i;

	for (i = 0; i < count; i++) {
		if (list[i].at != NULL)
			out->at[out->count++] = list[i].at;
	}
}

static void
gather_groups(const struct identities *ids, struct names *out)
{
	size_t i;

	for (i = 0; i < ids->person_count; i++)
		gather_list(ids->people[i].groups, ids->people[i].group_count,
		    out);
	for (i = 0; i < ids->agent_count; i++)
		gather_list(ids->agents[i].groups, ids->agents[i].group_count,
		    out);
}

/* At least as many as any kind of name there is. */
static size_t
names_most(const struct identities *ids)
{
	size_t most = ids->person_count + ids->agent_count, i;

	for (i = 0; i < ids->person_count; i++)
		most += ids->people[i].group_count;
	for (i = 0; i < ids->agent_count; i++)
		most += ids->agents[i].group_count;
	return most;
}

static const struct name_kind {
	const char *key, *what;
	gather_fn gather;
} name_kinds[] = {
    {"user", "user", gather_users},
    {"agent", "agent", gather_agents},
    {"group", "group", gather_groups},
};

static bool
is_known(struct text word, const struct names *names)
{
	size_t i;

	if (who_is_glob(word) || text_is(word, TEXT("none")))
		return true;
	for (i = 0; i < names->count; i++) {
		if (text_is(word, text_of(names->at[i])))
			return true;
	}
	return false;
}

static void
check_kind(struct reading *r, const struct node *value,
    const struct name_kind *kind, const struct identities *ids)
{
	struct names names = {NULL, 0};
	size_t i, count = value->kind == NODE_LIST ? value->count : 1;

	names.at = reading_array(r, names_most(ids), sizeof(*names.at));
	if (names.at == NULL)
		return;
	kind->gather(ids, &names);
	for (i = 0; i < count; i++) {
		const struct node *word = reading_scalar(value, i);

		if (word->kind == NODE_SCALAR && !is_known(word->text, &names))
			reading_unknown(
			    r, word, kind->what, names.at, names.count);
	}
}

void
who_check_names(struct reading *r, const struct node *map,
    const struct identities *ids)
{
	size_t i;

	for (i = 0; i < sizeof(name_kinds) / sizeof(name_kinds[0]); i++) {
		const struct node *value = yaml_get(map, name_kinds[i].key);

		if (value != NULL)
			check_kind(r, value, &name_kinds[i], ids);
	}
}

void
who_check_list(struct reading *r, const struct node *list,
    const struct identities *ids)
{
	size_t i;

	if (list == NULL || list->kind == NODE_SCALAR)
		return;
	if (list->kind == NODE_MAP)
		who_check_names(r, list, ids);
	for (i = 0; list->kind == NODE_LIST && i < list->count; i++)
		who_check_names(r, list->items[i], ids);
}
