/*
 * pam.h - what is said between the porter and sallyport-pam, a message each.
 */
#ifndef SALLYPORT_PAM_H
#define SALLYPORT_PAM_H

#include <stdint.h>

enum {
	PAM_NAME_MAX = 64, /* of a service or a user, with the NUL */
	PAM_PASSWORD_MAX = 512, /* PAM_MAX_RESP_SIZE, with the NUL */
};

struct pam_question { /* all terminated, none empty */
	char service[PAM_NAME_MAX];
	char user[PAM_NAME_MAX];
	char password[PAM_PASSWORD_MAX];
};

struct pam_reply {
	uint32_t is_asked; /* PAM was asked; 0: it could not be */
	uint32_t is_right; /* and the password is, and the account is valid */
	char reason[128];  /* terminated */
};

#endif
