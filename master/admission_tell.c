/*
 * admission_tell.c - why a connection proves nobody, for the record.
 *
 * The rule: for the record only; no client is told any of it.
 */
#include "master/admission_tell.h"

#include <stdio.h>
#include <string.h>

void
admission_tell_certificate(
    const struct certificate_facts *c, char *out, size_t size)
{
	int used = snprintf(out, size, "the certificate is somebody else's");
	size_t at = 0;

	while (at < c->names_len && used >= 0 && (size_t)used < size) {
		const char *name = c->names + at;
		size_t len = strnlen(name, c->names_len - at);

		used += snprintf(out + used, size - (size_t)used, "%s%.*s",
		    at == 0 ? ": " : ", ", (int)len, name);
		at += len + 1;
	}
}

void
admission_tell_process(const struct process_facts *p, enum process_part part,
    const char *wrong, char *out, size_t size)
{
	const char *path = p->executable[0] == '\0' ? "unknown" : p->executable;
	int used;

	if (p->pid == 0) {
		snprintf(out, size, "the process is unknown%s%s",
		    wrong == NULL ? "" : ": ", wrong == NULL ? "" : wrong);
		return;
	}
	used = snprintf(out, size,
	    "another process than the one allowed: pid %d, ", (int)p->pid);
	if (used < 0 || (size_t)used >= size)
		return;
	out += used;
	size -= (size_t)used;
	switch (part) {
	case PROCESS_RIGHT:
		break;
	case PROCESS_USER:
		snprintf(out, size, "its uid is %u, its executable %s", p->uid,
		    path);
		break;
	case PROCESS_PATH:
		snprintf(out, size, "uid %u, its executable is %s", p->uid,
		    p->executable[0] == '\0' && wrong != NULL ? wrong : path);
		break;
	case PROCESS_NOT_GENUINE: /* its path is the one of the entry */
		snprintf(out, size, "uid %u, not genuine: %s", p->uid,
		    wrong == NULL ? path : wrong);
		break;
	case PROCESS_DIGEST:
		snprintf(out, size, "its sha256 is %s",
		    p->sha256[0] == '\0' ? "unknown" : p->sha256);
		break;
	}
}
