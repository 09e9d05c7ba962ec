/*
 * tls_system.c - the authorities that this system trusts, all at once.
 *
 * OpenSSL would look for each by its name when a certificate needs it; a
 * confined process cannot, so all are read beforehand.
 */
#include <dirent.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/tls_trust.h"

/* As c_rehash(1) names them: eight hex digits of the name's hash, a dot, and
 * a number. */
static bool
is_hashed(const char *name)
{
	size_t digits = strspn(name, "0123456789abcdef");

	return digits == 8 && name[8] == '.' && name[9] != '\0' &&
	    strspn(name + 9, "0123456789") == strlen(name + 9);
}

static const char *
place(const char *variable, const char *usual)
{
	const char *said = getenv(variable);

	return said != NULL ? said : usual;
}

void
tls_trust_system(X509_STORE *store)
{
	const char *folder =
	    place(X509_get_default_cert_dir_env(), X509_get_default_cert_dir());
	const char *file = place(
	    X509_get_default_cert_file_env(), X509_get_default_cert_file());
	DIR *all = opendir(folder);
	const struct dirent *entry;
	char path[4096];

	/* one that cannot be read is one that is not trusted */
	(void)X509_STORE_load_file(store, file);
	while (all != NULL && (entry = readdir(all)) != NULL) {
		if (is_hashed(entry->d_name) &&
		    snprintf(path, sizeof(path), "%s/%s", folder,
			entry->d_name) < (int)sizeof(path))
			(void)X509_STORE_load_file(store, path);
	}
	if (all != NULL)
		closedir(all);
	ERR_clear_error();
}
