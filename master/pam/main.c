/*
 * main.c - sallyport-pam: one question to PAM, and its answer.
 *
 * One rule: only PAM_SUCCESS of both the password's and the account's check,
 * for the very user that was asked about, is a yes.
 * Started by the porter, as the unprivileged account; the question comes and
 * the answer goes over descriptor 3.  Trusts PAM's modules with the password:
 * that is what they are for.
 */
#include <ctype.h>
#include <security/pam_appl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "master/pam/pam.h"
#include "master/program.h"

_Static_assert(PAM_PASSWORD_MAX <= PAM_MAX_RESP_SIZE, "PAM takes it");

struct conversation {
	const char *password;
	int is_given;
};

/* --- what modules ask ----------------------------------------------------- */

/* One message. The password answers the first question whose answer is not
 * shown; another such question is one that nobody can answer. */
static int
message_answer(struct conversation *c, const struct pam_message *message,
    struct pam_response *response)
{
	switch (message->msg_style) {
	case PAM_PROMPT_ECHO_OFF:
		if (c->is_given)
			return PAM_CONV_ERR;
		c->is_given = 1;
		response->resp = strdup(c->password);
		return response->resp == NULL ? PAM_BUF_ERR : PAM_SUCCESS;
	case PAM_ERROR_MSG:
	case PAM_TEXT_INFO:
		return PAM_SUCCESS;
	default:
		return PAM_CONV_ERR;
	}
}

static void
responses_wipe(struct pam_response *all, int count)
{
	int i;

	for (i = 0; i < count; i++) {
		if (all[i].resp == NULL)
			continue;
		explicit_bzero(all[i].resp, strlen(all[i].resp));
		free(all[i].resp);
	}
	free(all);
}

static int
converse(int count, const struct pam_message **messages,
    struct pam_response **responses_out, void *data)
{
	struct pam_response *all;
	int i, code = PAM_SUCCESS;

	if (count <= 0 || count > PAM_MAX_NUM_MSG)
		return PAM_CONV_ERR;
	all = calloc((size_t)count, sizeof(*all));
	if (all == NULL)
		return PAM_BUF_ERR;
	for (i = 0; i < count && code == PAM_SUCCESS; i++)
		code = message_answer(data, messages[i], &all[i]);
	if (code == PAM_SUCCESS)
		*responses_out = all;
	else
		responses_wipe(all, count);
	return code;
}

/* Guessing is slowed down by Sallyport, for all methods alike. */
static void
delay_nobody(int code, unsigned microseconds, void *data)
{
	(void)code;
	(void)microseconds;
	(void)data;
}

/* --- the question --------------------------------------------------------- */

/* PAM takes a service that is not there for `other`, whatever that allows;
 * and it looks for its name in lower case. */
static int
has_service(const char *service)
{
	static const char *const folders[] = {"/etc/pam.d", "/usr/lib/pam.d"};
	char name[PAM_NAME_MAX], path[PAM_NAME_MAX + 32];
	size_t i;

	for (i = 0; i < sizeof(name) - 1 && service[i] != '\0'; i++)
		name[i] = (char)tolower((unsigned char)service[i]);
	name[i] = '\0';
	for (i = 0; i < sizeof(folders) / sizeof(*folders); i++) {
		snprintf(path, sizeof(path), "%s/%s", folders[i], name);
		if (access(path, R_OK) == 0)
			return 1;
	}
	return 0;
}

/* A module may have gone on as somebody else. */
static int
is_still(pam_handle_t *handle, const char *user)
{
	const void *now = NULL;

	return pam_get_item(handle, PAM_USER, &now) == PAM_SUCCESS &&
	    now != NULL && strcmp(now, user) == 0;
}

static void
handle_ask(pam_handle_t *handle, const struct pam_question *q,
    struct pam_reply *reply)
{
	const int flags = PAM_SILENT | PAM_DISALLOW_NULL_AUTHTOK;
	int code = pam_authenticate(handle, flags);

	reply->is_asked = code != PAM_ABORT && code != PAM_SYSTEM_ERR &&
	    code != PAM_AUTHINFO_UNAVAIL && code != PAM_BUF_ERR;
	if (code == PAM_SUCCESS)
		code = pam_acct_mgmt(handle, flags);
	reply->is_right = code == PAM_SUCCESS && is_still(handle, q->user);
	snprintf(reply->reason, sizeof(reply->reason), "%s",
	    code == PAM_SUCCESS && !reply->is_right
		? "it proves another user than it was asked about"
		: pam_strerror(handle, code));
}

static void
question_ask(const struct pam_question *q, struct pam_reply *reply)
{
	struct conversation c = {.password = q->password};
	const struct pam_conv conv = {converse, &c};
	union {
		void (*function)(int, unsigned, void *);
		const void *item;
	} delay = {delay_nobody};
	pam_handle_t *handle = NULL;
	int code;

	if (!has_service(q->service)) {
		snprintf(reply->reason, sizeof(reply->reason),
		    "there is no service %s", q->service);
		return;
	}
	code = pam_start(q->service, q->user, &conv, &handle);
	if (code == PAM_SUCCESS)
		code = pam_set_item(handle, PAM_FAIL_DELAY, delay.item);
	if (code == PAM_SUCCESS)
		handle_ask(handle, q, reply);
	else
		snprintf(reply->reason, sizeof(reply->reason),
		    "cannot start: %d", code);
	if (handle != NULL)
		pam_end(handle, code);
}

static int
is_sound(const struct pam_question *q)
{
	return memchr(q->service, '\0', sizeof(q->service)) != NULL &&
	    memchr(q->user, '\0', sizeof(q->user)) != NULL &&
	    memchr(q->password, '\0', sizeof(q->password)) != NULL &&
	    q->user[0] != '\0' && q->password[0] != '\0' &&
	    strchr(q->service, '/') == NULL;
}

int
main(void)
{
	const struct rlimit none = {0, 0};
	struct pam_question question;
	struct pam_reply reply = {0};

	setrlimit(RLIMIT_CORE, &none);
	if (recv(PROGRAM_CHANNEL, &question, sizeof(question), 0) !=
		(ssize_t)sizeof(question) ||
	    !is_sound(&question)) {
		fputs("sallyport-pam: sallyportd runs this\n", stderr);
		return EXIT_FAILURE;
	}
	question_ask(&question, &reply);
	explicit_bzero(&question, sizeof(question));
	return send(PROGRAM_CHANNEL, &reply, sizeof(reply), MSG_NOSIGNAL) ==
		(ssize_t)sizeof(reply)
	    ? EXIT_SUCCESS
	    : EXIT_FAILURE;
}
