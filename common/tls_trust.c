/*
 * tls_trust.c - CAs and what they have revoked.
 *
 * The rule: a CRL that cannot be read whole is no CRL, and without the ones
 * that were asked for nobody is trusted.
 */
#include "common/tls_trust.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* Nobody is there to type a passphrase. */
static int
passphrase_refuse(char *out, int size, int is_writing, void *context)
{
	(void)out;
	(void)size;
	(void)is_writing;
	(void)context;
	return -1;
}

/* The CRLs of a PEM file, to be freed with sk_X509_INFO_pop_free(); NULL:
 * `reason` says why. */
static STACK_OF(X509_INFO) *
crls_read(const char *path, char reason[TLS_REASON_MAX])
{
	STACK_OF(X509_INFO) *list = NULL;
	struct stat st;
	BIO *file;

	errno = 0;
	if (stat(path, &st) != 0 || !S_ISREG(st.st_mode) ||
	    st.st_size > TLS_CRL_SIZE_MAX) {
		snprintf(reason, TLS_REASON_MAX, "%s: %s", path,
		    errno != 0 ? strerror(errno) : "not a regular file of PEM");
		return NULL;
	}
	file = BIO_new_file(path, "re"); /* e: close-on-exec */
	if (file == NULL) {
		snprintf(reason, TLS_REASON_MAX, "%s: %s", path,
		    strerror(errno));
		ERR_clear_error();
		return NULL;
	}
	list = PEM_X509_INFO_read_bio(file, NULL, passphrase_refuse, NULL);
	if (list == NULL)
		snprintf(reason, TLS_REASON_MAX, "%s: %s", path,
		    tls_error_text());
	BIO_free(file);
	return list;
}

static void
crls_free(STACK_OF(X509_INFO) *list)
{
	sk_X509_INFO_pop_free(list, X509_INFO_free);
	ERR_clear_error();
}

static bool
is_in_force(const X509_CRL *crl)
{
	const ASN1_TIME *next = X509_CRL_get0_nextUpdate(crl);

	return X509_cmp_current_time(X509_CRL_get0_lastUpdate(crl)) < 0 &&
	    (next == NULL || X509_cmp_current_time(next) > 0);
}

/* Each one of the file, to the store if there is one. */
static enum err
crls_take(const char *path, const STACK_OF(X509_INFO) *list,
    X509_STORE *store, char reason[TLS_REASON_MAX])
{
	X509_CRL *crl;
	int i, count = 0;

	for (i = 0; i < sk_X509_INFO_num(list); i++) {
		crl = sk_X509_INFO_value(list, i)->crl;
		if (crl == NULL)
			continue;
		count++;
		if (!is_in_force(crl))
			snprintf(reason, TLS_REASON_MAX,
			    "%s: a CRL in it has expired or is not valid yet: "
			    "certificates of its issuer are refused", path);
		if (store != NULL && X509_STORE_add_crl(store, crl) != 1)
			return ERR_MEMORY;
	}
	if (count > 0)
		return ERR_NONE;
	snprintf(reason, TLS_REASON_MAX, "%s: no CRL in it", path);
	return ERR_MALFORMED;
}

enum err
tls_crl_check(const char *path, char reason[TLS_REASON_MAX])
{
	STACK_OF(X509_INFO) *list;
	enum err e;

	reason[0] = '\0';
	list = crls_read(path, reason);
	if (list == NULL)
		return ERR_MALFORMED;
	e = crls_take(path, list, NULL, reason);
	crls_free(list);
	return e;
}

static enum err
crls_load(X509_STORE *store, const char *path, char reason[TLS_REASON_MAX])
{
	STACK_OF(X509_INFO) *list = crls_read(path, reason);
	char warning[TLS_REASON_MAX];
	enum err e;

	if (list == NULL)
		return ERR_MALFORMED;
	e = crls_take(path, list, store, warning);
	if (e != ERR_NONE)
		snprintf(reason, TLS_REASON_MAX, "%s",
		    e == ERR_MEMORY ? err_text(e) : warning);
	crls_free(list);
	if (e == ERR_NONE &&
	    X509_STORE_set_flags(store,
		X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL) != 1)
		e = ERR_MEMORY;
	return e;
}

enum err
tls_trust_load(
    X509_STORE *store, const struct tls_files *f, char reason[TLS_REASON_MAX])
{
	if (X509_STORE_load_file(store, f->ca) != 1) {
		snprintf(reason, TLS_REASON_MAX, "%s: %s", f->ca,
		    tls_error_text());
		return ERR_INVALID;
	}
	return f->crl == NULL ? ERR_NONE : crls_load(store, f->crl, reason);
}
