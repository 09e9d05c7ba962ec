/* err.c - the words for enum err. */
#include "common/err.h"

static const char *const texts[ERR_MAX] = {
    [ERR_NONE] = "no error",
    [ERR_MEMORY] = "out of memory",
    [ERR_SYSTEM] = "system error",
    [ERR_CLOSED] = "connection closed",
    [ERR_DEADLINE] = "deadline passed",
    [ERR_INTERRUPTED] = "interrupted",
    [ERR_TOO_LONG] = "too long",
    [ERR_MALFORMED] = "malformed",
    [ERR_UNSUPPORTED] = "not supported",
    [ERR_NOT_FOUND] = "not found",
    [ERR_REFUSED] = "refused",
    [ERR_REGEX] = "pattern matching failed",
    [ERR_STORE] = "store error",
    [ERR_VERSION] = "written by another version",
    [ERR_INVALID] = "invalid configuration",
};

const char *
err_text(enum err e)
{
	if ((unsigned)e >= ERR_MAX)
		return "unknown error";
	return texts[e];
}
