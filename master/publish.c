/*
 * publish.c - the publisher, and master's side of it.
 *
 * One rule: the policy in force changes only when everything has worked: all
 * files parsed, all examples passed, the store's transaction committed, and
 * the published form read back and compiled.  Any failure before that leaves
 * the whole old policy.
 */
#include "master/publish.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/audit_chain.h"
#include "common/file_trust.h"
#include "common/jwks.h"
#include "common/log.h"
#include "common/store.h"
#include "common/tls_context.h"
#include "master/advise.h"
#include "master/program.h"
#include "master/scoreboard.h"
#include "master/spawn.h"

enum { FOLDER_MAX = 4096 };

static enum err
policy_folder(const struct settings *s, char *out)
{
	return (size_t)snprintf(out, FOLDER_MAX, "%s/policy", s->state) >=
		FOLDER_MAX
	    ? ERR_TOO_LONG
	    : ERR_NONE;
}

/* --- the child ------------------------------------------------------------ */

/* Workers open the catalogue's store before anything may have been written
 * to it: it is to be there, and of our format. */
static enum err
catalog_make(const struct settings *s)
{
	char folder[FOLDER_MAX];
	struct store *store = NULL;
	enum err e;

	if ((size_t)snprintf(folder, sizeof(folder), "%s/catalog",
		s->state) >= sizeof(folder))
		return ERR_TOO_LONG;
	e = store_open(folder, STORE_READ, &store);
	if (e == ERR_NOT_FOUND || e == ERR_VERSION)
		e = store_open(folder, STORE_WRITE, &store);
	store_close(store);
	return e;
}

static enum err
store_write(const struct settings *s, const struct policy *p, struct arena *a)
{
	char folder[FOLDER_MAX];
	struct store *store = NULL;
	struct text form;
	uint64_t generation;
	enum err e = policy_folder(s, folder);

	if (e == ERR_NONE)
		e = policy_encode(p, a, &form);
	if (e == ERR_NONE)
		e = store_open(folder, STORE_WRITE, &store);
	if (e == ERR_NONE)
		e = store_publish(store, form, &generation);
	if (store != NULL)
		store_close(store);
	return e;
}

/* What it takes master's account to find out. */
struct seen {
	struct file_state *passwords;
	struct trust trust;
};

/* The settings as they are written now; the password files were looked at
 * as root, and are those of `now`, too, once it compares well. */
static enum err
settings_check(const struct settings *old, const struct file_state *passwords,
    struct arena *a, struct diagnostics *d, struct settings *now_out)
{
	enum err e = settings_load(old->file, a, d, now_out);

	if (e != ERR_NONE)
		return e;
	publish_compare(old, now_out, d);
	if (diagnostics_count(d) > 0)
		return ERR_INVALID;
	password_files_complain(now_out, passwords, d);
	e = settings_check_files(now_out, d);
	return diagnostics_count(d) > 0 ? ERR_INVALID : e;
}

static void
warning_log(const char *line)
{
	log_warning("%s", line);
}

static enum err
identities_read(const struct settings *s, const struct trust *trust,
    struct arena *a, struct diagnostics *d, struct identities *out)
{
	enum err e = identities_load(s->identities, a, d, out);

	if (e != ERR_NONE)
		return e;
	identities_warn_of_names(out, warning_log);
	identities_check_trust(s, out, trust, d);
	e = jwks_check(out, s->identities, a, d);
	if (e != ERR_NONE)
		return e;
	advise_proofs(s->identities, out, warning_log);
	return diagnostics_count(d) > 0 ? ERR_INVALID
					: identities_find_accounts(out, a);
}

/* Everything that can be wrong becomes a diagnostic. */
static enum err
publish_all(const struct settings *old, const struct seen *seen,
    struct arena *a, struct diagnostics *d)
{
	struct settings now;
	struct identities ids;
	struct policy policy;
	enum err e = settings_check(old, seen->passwords, a, d, &now);

	if (e == ERR_NONE)
		e = identities_read(&now, &seen->trust, a, d, &ids);
	if (e == ERR_NONE)
		e = policy_load(&now, &ids, a, d, &policy);
	if (e != ERR_NONE)
		return e;
	e = store_write(&now, &policy, a);
	if (e == ERR_NONE)
		e = catalog_make(&now);
	if (e != ERR_NONE)
		diagnostics_add(d, now.state, 0, 0,
		    "the policy cannot be published: %s", err_text(e));
	return e;
}

static void
complain(int pipe, const char *line)
{
	char whole[1024];
	int len = snprintf(whole, sizeof(whole), "%s\n", line);

	if (len >= (int)sizeof(whole)) {
		len = sizeof(whole) - 1;
		whole[len - 1] = '\n';
	}
	if (len > 0 && write(pipe, whole, (size_t)len) < 0)
		_exit(EXIT_FAILURE);
}

/* The one thing that takes root: workers may not look at all of it, and some
 * of it only the broker will read. */
static enum err
files_look(const struct master *m, struct arena *a, struct diagnostics *d,
    struct seen *out)
{
	const uid_t starter = m->account.is_other ? 0 : m->account.uid;
	const struct settings *s = m->settings;
	enum err e;

	out->passwords =
	    arena_array(a, settings_login_count(s), sizeof(*out->passwords));
	if (out->passwords == NULL)
		return ERR_MEMORY;
	password_files_look(s, out->passwords);
	audit_key_check(s, d);
	tls_check(s, d, warning_log);
	e = settings_check_trust(s, starter, d, &out->trust);
	if (e == ERR_NONE)
		programs_check_trust(&out->trust, s->file, d);
	return e;
}

static enum err
look_and_publish(
    const struct master *m, struct arena *a, struct diagnostics *d)
{
	struct seen seen;
	enum err e = files_look(m, a, d, &seen);

	spawn_drop(m);
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	spawn_confine(m, CONFINE_PUBLISHER);
	return e == ERR_NONE ? publish_all(m->settings, &seen, a, d) : e;
}

static int
publisher_main(const struct master *m, int pipe)
{
	struct arena *a = arena_new(0);
	struct diagnostics *d = a == NULL ? NULL : diagnostics_new(a);
	enum err e = d == NULL ? ERR_MEMORY : look_and_publish(m, a, d);
	size_t i;

	if (e == ERR_NONE)
		return EXIT_SUCCESS;
	for (i = 0; d != NULL && i < diagnostics_count(d); i++)
		complain(pipe, diagnostics_line(d, i));
	if (i == 0)
		complain(pipe, err_text(e));
	return EXIT_FAILURE;
}

/* --- master --------------------------------------------------------------- */

enum err
publish_start(struct master *m)
{
	struct publication *p = &m->publication;
	struct child *child;
	int ends[2];
	enum err e;

	if (pipe2(ends, O_CLOEXEC) != 0)
		return ERR_SYSTEM;
	e = spawn_fork(m, CHILD_PUBLISHER, 0, &child);
	if (e == ERR_NONE && child == NULL) {
		close(ends[0]);
		_exit(publisher_main(m, ends[1]));
	}
	close(ends[1]);
	if (e != ERR_NONE) {
		close(ends[0]);
		return e;
	}
	*p = (struct publication){
	    .is_running = true, .pipe = ends[0], .started_at = unix_ms()};
	return ERR_NONE;
}

void
publish_read(struct master *m)
{
	struct publication *p = &m->publication;
	char rest[512];
	size_t room = sizeof(p->text) - 1 - p->len;
	/* past the ceiling it is read and dropped, so the child can end */
	ssize_t n = room > 0 ? read(p->pipe, p->text + p->len, room)
			     : read(p->pipe, rest, sizeof(rest));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0)
		descriptor_close(&p->pipe);
	else if (room > 0)
		p->len += (size_t)n;
	p->text[p->len] = '\0';
}

void
publish_exited(struct master *m, int status)
{
	m->publication.has_exited = true;
	m->publication.exit_status = status;
}

bool
publish_is_over(const struct master *m)
{
	return m->publication.is_running && m->publication.has_exited &&
	    m->publication.pipe < 0;
}

static enum err
store_read(const struct settings *s, struct arena *a, struct policy *out)
{
	char folder[FOLDER_MAX];
	struct store *store = NULL;
	struct text form;
	uint64_t generation = 0;
	enum err e = policy_folder(s, folder);

	if (e == ERR_NONE)
		e = store_open(folder, STORE_READ, &store);
	if (e == ERR_NONE)
		e = store_read_policy(store, a, &form, &generation);
	if (store != NULL)
		store_close(store); /* before anything forks */
	if (e == ERR_NONE)
		e = policy_decode(form, a, out);
	out->generation = generation;
	return e;
}

static enum err
policy_replace(struct master *m)
{
	struct arena *a = arena_new(0);
	struct policy *now;
	enum err e;

	if (a == NULL)
		return ERR_MEMORY;
	now = arena_alloc(a, sizeof(*now));
	e = now == NULL ? ERR_MEMORY : store_read(m->settings, a, now);
	/* a policy of before never comes back by itself */
	if (e == ERR_NONE && m->policy != NULL &&
	    now->generation <= m->policy->generation) {
		policy_close(now);
		e = ERR_MALFORMED;
	}
	if (e != ERR_NONE) {
		arena_free(a);
		return e;
	}
	if (m->policy != NULL)
		policy_close(m->policy);
	arena_free(m->policy_arena);
	m->policy = now;
	m->policy_arena = a;
	return ERR_NONE;
}

enum err
publish_finish(struct master *m)
{
	struct publication *p = &m->publication;
	bool is_refused =
	    !WIFEXITED(p->exit_status) || WEXITSTATUS(p->exit_status) != 0;
	struct tls_contexts *tls = NULL;
	enum err e = is_refused ? ERR_INVALID
				: tls_contexts_new(m->settings, &tls, p->text,
				      sizeof(p->text));

	is_refused |= e != ERR_NONE;
	if (e == ERR_NONE)
		e = policy_replace(m);
	if (e == ERR_NONE) {
		tls_contexts_free(m->tls);
		m->tls = tls;
	} else {
		tls_contexts_free(tls);
	}
	p->is_running = false;
	if (p->len == 0 && WIFSIGNALED(p->exit_status))
		snprintf(p->text, sizeof(p->text),
		    "the publisher died of signal %d",
		    WTERMSIG(p->exit_status));
	else if (e != ERR_NONE && !is_refused)
		snprintf(p->text, sizeof(p->text),
		    "the published policy cannot be read: %s", err_text(e));
	scoreboard_reloaded(m, p->started_at, e != ERR_NONE, p->text,
	    m->policy == NULL ? 0 : m->policy->generation);
	return e;
}
