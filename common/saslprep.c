/*
 * saslprep.c - SASLprep with libidn's tables.
 *
 * The rule: never less than what was given: a password that cannot be
 * prepared is itself, not nothing.  libidn frees memory without wiping it, so
 * this is for processes that have the password anyway.
 */
#include "common/saslprep.h"

#include <string.h>
#include <stringprep.h>

enum err
saslprep(struct text password, char out[SASLPREP_MAX], size_t *len_out)
{
	int result;

	*len_out = password.len;
	if (password.len >= SASLPREP_MAX)
		return ERR_TOO_LONG;
	if (password.len > 0)
		memcpy(out, password.at, password.len);
	out[password.len] = '\0';
	/* a NUL would end what libidn sees */
	if (text_is_ascii(password) || !text_is_utf8(password) ||
	    memchr(out, '\0', password.len) != NULL)
		return ERR_NONE;
	result = stringprep(out, SASLPREP_MAX, STRINGPREP_NO_UNASSIGNED,
	    stringprep_saslprep);
	if (result == STRINGPREP_TOO_SMALL_BUFFER)
		return ERR_TOO_LONG;
	if (result == STRINGPREP_MALLOC_ERROR)
		return ERR_MEMORY;
	if (result == STRINGPREP_OK && out[0] != '\0') {
		*len_out = strlen(out);
		return ERR_NONE;
	}
	memcpy(out, password.at, password.len);
	out[password.len] = '\0';
	return ERR_NONE;
}
