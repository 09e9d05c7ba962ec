/*
 * porter_pam.c - questions to PAM.
 *
 * One rule: a password is in the porter's memory only until it has been
 * handed on, and whatever is not a plain yes is a no.
 * PAM's modules are others' code: each question has a program of its own, as
 * the unprivileged account and without capabilities (master/pam).
 */
#include <openssl/crypto.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "master/pam/pam.h"
#include "master/porter_inner.h"
#include "master/program.h"

/* A file's name in /etc/pam.d, and no way out of it. */
static bool
is_service(const char *name)
{
	size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz"
				  "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");

	return len > 0 && len < PAM_NAME_MAX && name[len] == '\0';
}

/* "user\0password": both there, within bounds, and nothing else. An empty
 * password is one that an LDAP server may take for no question at all. */
static bool
parcel_split(struct text parcel, struct text *user, struct text *password)
{
	const char *end =
	    parcel.len == 0 ? NULL : memchr(parcel.at, '\0', parcel.len);

	if (end == NULL)
		return false;
	*user = (struct text){parcel.at, (size_t)(end - parcel.at)};
	*password = (struct text){end + 1, parcel.len - user->len - 1};
	return user->len > 0 && user->len < PAM_NAME_MAX &&
	    password->len > 0 && password->len < PAM_PASSWORD_MAX &&
	    memchr(password->at, '\0', password->len) == NULL;
}

static void
pam_done(
    struct porter *p, const struct task *t, const void *answer, size_t len)
{
	struct outcome o =
	    outcome_of(t->serial, ERRAND_PAM, OUTCOME_FAILED);
	struct pam_reply reply;

	snprintf(o.reason, sizeof(o.reason), "PAM does not answer");
	if (len == sizeof(reply)) {
		memcpy(&reply, answer, sizeof(reply));
		reply.reason[sizeof(reply.reason) - 1] = '\0';
		if (reply.is_asked == 1)
			o.result =
			    reply.is_right == 1 ? OUTCOME_YES : OUTCOME_NO;
		snprintf(o.reason, sizeof(o.reason), "PAM: %s", reply.reason);
	}
	porter_answer(p, &o, -1);
}

/* In the child. */
static _Noreturn void
pam_become(const struct porter *p, int socket)
{
	int i;

	for (i = 0; i <= 2; i++)
		dup2(p->null, i);
	program_become(p->pam, NULL, socket);
	_exit(127);
}

static enum err
pam_ask(struct porter *p, uint64_t serial, const struct pam_question *q)
{
	const struct task what = {.kind = TASK_PAM,
	    .until = monotonic_ms() + PAM_MS,
	    .serial = serial,
	    .done = pam_done};
	struct task *t;
	bool is_child;
	enum err e;

	if (tasks_count(p, TASK_PAM) >= PAM_TASKS_MAX)
		return ERR_TOO_LONG;
	e = task_start(p, &what, p->null, false, &t, &is_child);
	if (e == ERR_NONE && is_child)
		pam_become(p, t->socket);
	/* a child that is dead already is one that does not answer */
	if (e == ERR_NONE)
		task_answer(t->socket, q, sizeof(*q));
	return e;
}

void
errand_pam(
    struct porter *p, const struct errand *e, struct text parcel, int fd)
{
	struct pam_question q = {0};
	struct text user, password;
	enum err err;

	(void)fd;
	if (!is_service(e->service)) {
		porter_refuse(p, e, OUTCOME_FAILED, "no name of a service");
		return;
	}
	if (!parcel_split(parcel, &user, &password)) {
		porter_refuse(p, e, OUTCOME_NO,
		    "a password that is empty, too long, or has a NUL in it");
		return;
	}
	memcpy(q.service, e->service, strlen(e->service));
	memcpy(q.user, user.at, user.len);
	memcpy(q.password, password.at, password.len);
	err = pam_ask(p, e->serial, &q);
	OPENSSL_cleanse(&q, sizeof(q));
	if (err != ERR_NONE)
		porter_refuse(p, e, OUTCOME_FAILED,
		    err == ERR_TOO_LONG
			? "too many questions to PAM at a time"
			: "cannot ask PAM");
}
