/*
 * restart.c - which settings a running daemon cannot change.
 *
 * One rule: a reload takes a changed setting or says that it needs a restart;
 * it never half takes it.  Policies and identities reload; sallyport.yaml
 * itself is what processes were built on, so all of it needs a restart.
 */
#include <stddef.h>
#include <string.h>

#include "master/publish.h"

enum kind { KIND_STRING, KIND_UNSIGNED, KIND_SIZE, KIND_BOOL, KIND_INT };

struct member {
	const char *name; /* as in the YAML */
	size_t offset;
	enum kind kind;
};

#define MEMBER(name, type, field, kind) {name, offsetof(type, field), kind}

static const struct member settings_members[] = {
    MEMBER("identities", struct settings, identities, KIND_STRING),
    MEMBER("policies", struct settings, policies, KIND_STRING),
    MEMBER("workers.spare", struct settings, workers_spare, KIND_UNSIGNED),
    MEMBER("workers.max", struct settings, workers_max, KIND_UNSIGNED),
    MEMBER("run_as", struct settings, run_as, KIND_STRING),
    MEMBER("state", struct settings, state, KIND_STRING),
    MEMBER("control", struct settings, control, KIND_STRING),
    MEMBER("statement_limit", struct settings, statement_limit, KIND_SIZE),
    MEMBER("audit.socket", struct settings, audit_socket, KIND_STRING),
    MEMBER("audit.facility", struct settings, audit_facility, KIND_INT),
    MEMBER("audit.on_failure", struct settings, audit_on_failure, KIND_INT),
    MEMBER("audit.literals", struct settings, audit_keeps_literals, KIND_BOOL),
    MEMBER("audit.key_file", struct settings, audit_key_file, KIND_STRING),
    MEMBER("approvals.expire", struct settings, approvals_expire_s,
	KIND_UNSIGNED),
    MEMBER("login_deadline", struct settings, login_deadline_s, KIND_UNSIGNED),
    MEMBER("drain_deadline", struct settings, drain_deadline_s, KIND_UNSIGNED),
};

static const struct member listener_members[] = {
    MEMBER("address", struct listener, address, KIND_STRING),
    MEMBER("upstream", struct listener, upstream, KIND_STRING),
    MEMBER("tls.certificate", struct listener, tls.certificate, KIND_STRING),
    MEMBER("tls.key", struct listener, tls.key, KIND_STRING),
    MEMBER("tls.client_ca", struct listener, tls.ca, KIND_STRING),
    MEMBER("tls.client_crl", struct listener, tls.crl, KIND_STRING),
    MEMBER("tls.required", struct listener, requires_tls, KIND_BOOL),
};

static const struct member upstream_members[] = {
    MEMBER("name", struct upstream, name, KIND_STRING),
    MEMBER("engine", struct upstream, engine, KIND_INT),
    MEMBER("address", struct upstream, address, KIND_STRING),
    MEMBER("application_name", struct upstream, application_name, KIND_INT),
    MEMBER("login.user", struct upstream, login_user, KIND_STRING),
    MEMBER("login.password_file", struct upstream, password_file, KIND_STRING),
    MEMBER("tls.mode", struct upstream, tls_mode, KIND_INT),
    MEMBER("tls.ca", struct upstream, tls.ca, KIND_STRING),
    MEMBER("tls.server_name", struct upstream, tls_server_name, KIND_STRING),
    MEMBER("tls.certificate", struct upstream, tls.certificate, KIND_STRING),
    MEMBER("tls.key", struct upstream, tls.key, KIND_STRING),
};

#define COUNT(table) (sizeof(table) / sizeof(*(table)))

_Static_assert(sizeof(enum engine) == sizeof(int) &&
	sizeof(enum tls_mode) == sizeof(int) &&
	sizeof(enum application_name) == sizeof(int) &&
	sizeof(enum audit_failure) == sizeof(int),
    "KIND_INT reads enums");

static bool
string_is(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool
member_is_same(const struct member *member, const void *a, const void *b)
{
	static const size_t sizes[] = {[KIND_UNSIGNED] = sizeof(unsigned),
	    [KIND_SIZE] = sizeof(size_t),
	    [KIND_BOOL] = sizeof(bool),
	    [KIND_INT] = sizeof(int)};
	const char *at = (const char *)a + member->offset;
	const char *bt = (const char *)b + member->offset;

	if (member->kind == KIND_STRING)
		return string_is(
		    *(const char *const *)at, *(const char *const *)bt);
	return memcmp(at, bt, sizes[member->kind]) == 0;
}

static void
needs_restart(struct diagnostics *d, const char *file, const char *group,
    const char *name)
{
	diagnostics_add(d, file, 0, 0, "`%s%s` has changed: needs a restart",
	    group, name);
}

static bool
labels_are_same(const struct upstream *a, const struct upstream *b)
{
	size_t i;

	if (a->label_count != b->label_count)
		return false;
	for (i = 0; i < a->label_count; i++) {
		if (!text_is(a->labels[i].key, b->labels[i].key) ||
		    !text_is(a->labels[i].value, b->labels[i].value))
			return false;
	}
	return true;
}

static void
members_compare(const struct member *members, size_t count, const void *old,
    const void *now, const char *group, const char *file,
    struct diagnostics *d)
{
	size_t i;

	for (i = 0; i < count; i++) {
		if (!member_is_same(&members[i], old, now))
			needs_restart(d, file, group, members[i].name);
	}
}

static void
listeners_compare(const struct settings *old, const struct settings *now,
    struct diagnostics *d)
{
	size_t i;

	if (old->listener_count != now->listener_count) {
		needs_restart(d, now->file, "", "listen");
		return;
	}
	for (i = 0; i < old->listener_count; i++)
		members_compare(listener_members, COUNT(listener_members),
		    &old->listeners[i], &now->listeners[i], "listen.",
		    now->file, d);
}

static bool
texts_are_same(const struct text *a, size_t a_count, const struct text *b,
    size_t b_count)
{
	size_t i;

	for (i = 0; i < a_count && i < b_count; i++) {
		if (!text_is(a[i], b[i]))
			return false;
	}
	return a_count == b_count;
}

static bool
who_is_same(const struct who *a, const struct who *b)
{
#define SAME(list)                                                             \
	texts_are_same(a->list, a->list##_count, b->list, b->list##_count)
	return SAME(user) && SAME(agent) && SAME(group) && SAME(via) &&
	    SAME(from) && SAME(process) && a->user_none == b->user_none &&
	    a->agent_none == b->agent_none;
#undef SAME
}

static bool
logins_are_same(const struct upstream *a, const struct upstream *b)
{
	size_t i;

	if (a->login_count != b->login_count)
		return false;
	/* the last is `login`, which is compared for itself */
	for (i = 0; i + 1 < a->login_count; i++) {
		const struct upstream_login *x = &a->logins[i];
		const struct upstream_login *y = &b->logins[i];

		if (!string_is(x->user, y->user) ||
		    !string_is(x->password_file, y->password_file) ||
		    !who_is_same(&x->who, &y->who))
			return false;
	}
	return true;
}

static void
upstreams_compare(const struct settings *old, const struct settings *now,
    struct diagnostics *d)
{
	size_t i;

	if (old->upstream_count != now->upstream_count) {
		needs_restart(d, now->file, "", "upstreams");
		return;
	}
	for (i = 0; i < old->upstream_count; i++) {
		members_compare(upstream_members, COUNT(upstream_members),
		    &old->upstreams[i], &now->upstreams[i], "upstreams.",
		    now->file, d);
		if (!labels_are_same(&old->upstreams[i], &now->upstreams[i]))
			needs_restart(d, now->file, "upstreams.", "labels");
		if (!logins_are_same(&old->upstreams[i], &now->upstreams[i]))
			needs_restart(d, now->file, "upstreams.", "logins");
	}
}

void
publish_compare(const struct settings *old, const struct settings *now,
    struct diagnostics *d)
{
	members_compare(settings_members, COUNT(settings_members), old, now, "",
	    now->file, d);
	listeners_compare(old, now, d);
	upstreams_compare(old, now, d);
}
