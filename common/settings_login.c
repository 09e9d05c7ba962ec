/*
 * settings_login.c - as whom sessions log in to an upstream.
 *
 * The rule: what chooses a login is what the broker knows for itself.  Where
 * a client says it comes from is known to the worker that serves it and to
 * nobody else, so `from` chooses none.
 */
#include "common/settings_login.h"

#include <string.h>

#include "common/who.h"

/* Many would write it here: the settings are shown and copied about. */
static void
refuse_password(struct reading *r, const struct node *n, void *field)
{
	(void)field;
	reading_complain(r, n, "a password does not stand here: put it into a "
	    "file of its own and name that with `password_file`");
}

#define ROW_UPSTREAM(field) .offset = offsetof(struct upstream, field)

const struct schema settings_login_schema = {
    .what = "a login",
    .size = sizeof(struct upstream),
    .rows = (const struct row[]){
	{"user", FIELD_STRING, ROW_UPSTREAM(login_user), .is_required = true},
	{"password_file", FIELD_PATH, ROW_UPSTREAM(password_file)},
	{"password", FIELD_CUSTOM, .read = refuse_password},
	{0},
    },
};

struct setting_at
settings_place_of(const struct node *map, const char *key)
{
	const struct node *n = map == NULL ? NULL : yaml_get(map, key);

	return n == NULL ? (struct setting_at){0, 0}
			 : (struct setting_at){n->line, n->column};
}

static void
check_login(struct reading *r, const struct node *map, void *out)
{
	struct upstream_login *login = out;
	const struct node *who = yaml_get(map, "who");
	const struct node *from = who == NULL ? NULL : yaml_get(who, "from");

	login->who_at = who;
	login->password_file_at = settings_place_of(map, "password_file");
	if (from != NULL)
		reading_complain(r, from,
		    "`from` chooses no login: where a client comes from is "
		    "the word of the process that serves it");
}

#define ROW_LOGIN(field) .offset = offsetof(struct upstream_login, field)

static const struct schema chosen_login_schema = {
    .what = "one of the logins",
    .size = sizeof(struct upstream_login),
    .check = check_login,
    .rows = (const struct row[]){
	{"who", FIELD_STRUCT, ROW_LOGIN(who), .is_required = true,
	    .schema = &who_schema},
	{"user", FIELD_STRING, ROW_LOGIN(user), .is_required = true},
	{"password_file", FIELD_PATH, ROW_LOGIN(password_file)},
	{"password", FIELD_CUSTOM, .read = refuse_password},
	{0},
    },
};

void
settings_read_logins(
    struct reading *r, const struct node *list, void *upstream)
{
	struct upstream *u = upstream;
	size_t i;

	if (list->kind != NODE_LIST) {
		reading_complain(r, list, "expected a list of logins");
		return;
	}
	if (list->count >= CONFIG_LOGINS_MAX) {
		reading_complain(r, list, "more than %d logins",
		    CONFIG_LOGINS_MAX - 1);
		return;
	}
	u->logins = reading_array(r, list->count + 1, sizeof(*u->logins));
	for (i = 0; u->logins != NULL && i < list->count; i++)
		schema_read(r, &chosen_login_schema, list->items[i],
		    &u->logins[u->login_count++]);
}

void
settings_finish_logins(
    struct reading *r, const struct node *map, struct upstream *u)
{
	u->password_file_at =
	    settings_place_of(yaml_get(map, "login"), "password_file");
	if (u->logins == NULL)
		u->logins = reading_array(r, 1, sizeof(*u->logins));
	if (u->logins == NULL)
		return;
	u->logins[u->login_count++] = (struct upstream_login){
	    .user = u->login_user,
	    .password_file = u->password_file,
	    .password_file_at = u->password_file_at};
}

size_t
upstream_login_of(const struct upstream *u, const struct identity *id)
{
	size_t i;

	for (i = 0; i + 1 < u->login_count; i++) {
		if (who_matches(&u->logins[i].who, id))
			break;
	}
	return i;
}

size_t
settings_login_count(const struct settings *s)
{
	size_t count = 0, i;

	for (i = 0; i < s->upstream_count; i++)
		count += s->upstreams[i].login_count;
	return count;
}

void
settings_check_logins(struct reading *r, const struct settings *s,
    const struct identities *ids)
{
	size_t i, k;

	for (i = 0; i < s->upstream_count; i++) {
		const struct upstream *u = &s->upstreams[i];

		for (k = 0; k < u->login_count; k++) {
			if (u->logins[k].who_at != NULL)
				who_check_names(r, u->logins[k].who_at, ids);
		}
	}
}
