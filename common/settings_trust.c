/*
 * settings_trust.c - are the files that the settings name to be believed?
 *
 * The rule: every path in the settings has a row here, or a line that says
 * why not.  What is not there is told by whoever needs it.
 *
 * Not looked at: /proc/self/exe, as whoever can change that needs no settings;
 * the system's own certificates.
 */
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/config.h"
#include "common/file_trust.h"

enum { TOLD_MAX = 64 };

struct looking {
	const struct settings *settings;
	const struct trust *trust;
	struct diagnostics *diagnostics;
	uint64_t told[TOLD_MAX]; /* folders that were complained of */
	size_t told_count;
};

/* A folder that all of them are in is told once. */
static bool
is_told(struct looking *l, uint64_t folder)
{
	size_t i;

	for (i = 0; i < l->told_count; i++) {
		if (l->told[i] == folder)
			return true;
	}
	if (folder != 0 && l->told_count < TOLD_MAX)
		l->told[l->told_count++] = folder;
	return false;
}

static void
complain(struct looking *l, struct setting_at at, const struct distrust *why)
{
	if (!is_told(l, why->folder))
		diagnostics_add(l->diagnostics, l->settings->file, at.line,
		    at.column, "%s", why->reason);
}

/* NULL: that setting is not there. */
static void
look(struct looking *l, struct setting_at at, const char *path,
    enum trust_kind kind)
{
	struct distrust why;

	if (path != NULL &&
	    trust_check(l->trust, path, kind, &why) == ERR_REFUSED)
		complain(l, at, &why);
}

/* Who could put another socket where this one is? */
static void
look_around(struct looking *l, struct setting_at at, const char *path)
{
	struct distrust why;

	if (trust_check_folder_of(l->trust, path, &why) == ERR_REFUSED)
		complain(l, at, &why);
}

/* One that is on the way to what is in it, and to blame for all of that. */
static void
look_at_folder(struct looking *l, struct setting_at at, const char *folder)
{
	char whole[PATH_MAX];
	struct distrust why;

	if (trust_check(l->trust, folder, TRUST_FOLDER, &why) != ERR_REFUSED)
		return;
	if (why.folder == 0 && realpath(folder, whole) != NULL)
		why.folder = text_hash(text_of(whole));
	complain(l, at, &why);
}

/* A folder and what is in it. */
static void
look_into(struct looking *l, struct setting_at at, const char *folder)
{
	const struct dirent *entry;
	DIR *entries;

	look_at_folder(l, at, folder);
	entries = opendir(folder);
	while (entries != NULL && (entry = readdir(entries)) != NULL) {
		struct text name = text_of(entry->d_name);
		char path[4096];

		if (!text_glob(TEXT("*.yaml"), name) || name.at[0] == '.')
			continue;
		if ((size_t)snprintf(path, sizeof(path), "%s/%s", folder,
			entry->d_name) >= sizeof(path))
			complain(l, at,
			    &(struct distrust){"a name in it is too long", 0});
		else
			look(l, at, path, TRUST_FILE);
	}
	if (entries != NULL)
		closedir(entries);
}

static void
look_at_tls(struct looking *l, const struct tls_files *f)
{
	look(l, f->certificate_at, f->certificate, TRUST_FILE);
	look(l, f->key_at, f->key, TRUST_SECRET);
	look(l, f->ca_at, f->ca, TRUST_FILE);
	look(l, f->crl_at, f->crl, TRUST_FILE);
}

static void
look_at_listener(struct looking *l, const struct listener *listener)
{
	static const char prefix[] = "unix:";

	if (strncmp(listener->address, prefix, sizeof(prefix) - 1) == 0)
		look_around(l, listener->address_at,
		    listener->address + sizeof(prefix) - 1);
	look_at_tls(l, &listener->tls);
}

static void
look_at_upstream(struct looking *l, const struct upstream *u)
{
	size_t i;

	for (i = 0; i < u->login_count; i++)
		look(l, u->logins[i].password_file_at,
		    u->logins[i].password_file, TRUST_SECRET);
	look_at_tls(l, &u->tls);
}

/* What Sallyport brings along: what SQL does. */
static void
look_at_data(struct looking *l)
{
	static const char *const folders[] = {"classes", "functions"};
	const struct setting_at nowhere = {0, 0};
	char path[4096];
	size_t i;

	for (i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		snprintf(path, sizeof(path), "%.4000s/%s",
		    config_data_folder(), folders[i]);
		look_into(l, nowhere, path);
	}
}

static enum err
account_find(const struct settings *s, uid_t starter, struct diagnostics *d,
    struct trust *out)
{
	enum err e = trust_find(starter, s->run_as, out);

	if (e != ERR_NONE)
		diagnostics_add(d, s->file, s->run_as_at.line,
		    s->run_as_at.column, "run_as: %s: %s", s->run_as,
		    e == ERR_NOT_FOUND ? "no such account"
				       : "it is in too many groups");
	return e;
}

enum err
settings_check_trust(const struct settings *s, uid_t starter,
    struct diagnostics *d, struct trust *out)
{
	struct looking l = {
	    .settings = s, .trust = out, .diagnostics = d};
	const struct setting_at whole = {0, 0};
	enum err e = account_find(s, starter, d, out);
	size_t i;

	if (e != ERR_NONE)
		return e;
	look(&l, whole, s->file, TRUST_FILE);
	for (i = 0; i < s->listener_count; i++)
		look_at_listener(&l, &s->listeners[i]);
	for (i = 0; i < s->upstream_count; i++)
		look_at_upstream(&l, &s->upstreams[i]);
	look(&l, s->identities_at, s->identities, TRUST_FILE);
	look_into(&l, s->policies_at, s->policies);
	look(&l, s->state_at, s->state, TRUST_STATE);
	look_around(&l, s->control_at, s->control);
	look_around(&l, s->audit_socket_at, s->audit_socket);
	look(&l, s->audit_key_file_at, s->audit_key_file, TRUST_SECRET);
	look_at_data(&l);
	return ERR_NONE;
}

static bool
has_verifiers(const struct identities *ids)
{
	size_t i;

	for (i = 0; i < ids->person_count; i++) {
		if (ids->people[i].password.len > 0)
			return true;
	}
	for (i = 0; i < ids->agent_count; i++) {
		if (ids->agents[i].password.len > 0)
			return true;
	}
	return false;
}

void
identities_check_trust(const struct settings *s, const struct identities *ids,
    const struct trust *t, struct diagnostics *d)
{
	struct looking l = {.settings = s, .trust = t, .diagnostics = d};
	struct distrust why;
	size_t i;

	if (has_verifiers(ids))
		look(&l, s->identities_at, s->identities, TRUST_SECRET);
	for (i = 0; i < ids->issuer_count; i++) {
		const struct token_issuer *issuer = &ids->issuers[i];

		if (trust_check(t, issuer->keys.at, TRUST_FILE, &why) ==
		    ERR_REFUSED)
			diagnostics_add(d, s->identities, issuer->keys_line,
			    issuer->keys_column, "%s", why.reason);
	}
}
