/* links: common/settings.c common/settings_address.c common/settings_login.c common/identities.c common/identity.c common/identity_certificates.c common/certificate_name.c common/token_read.c common/who.c common/who_read.c common/scram.c common/hmac.c common/saslprep.c common/schema.c common/schema_scalar.c common/yaml.c common/diagnostics.c common/arena.c common/text.c common/wire.c */
/*
 * Whatever bytes as sallyport.yaml and as identities.yaml: what is wrong has
 * a diagnostic, and what is not resolves names to people who are there.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/config.h"
#include "common/diagnostics.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void
check_identities(const struct identities *ids, struct text login)
{
	struct identity found = {.via = {NULL, 0}};

	if (identity_resolve(ids, login, &found) != ERR_NONE)
		return;
	if (found.user.len + found.agent.len == 0 ||
	    found.user.len > IDENTITY_NAME_MAX ||
	    found.agent.len > IDENTITY_NAME_MAX)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct arena *a = arena_new(64 * 1024 * 1024);
	struct diagnostics *d = diagnostics_new(a);
	struct settings settings;
	struct identities ids;
	char path[64];
	size_t before;
	enum err e;
	int fd = memfd_create("config", MFD_CLOEXEC);

	if (fd < 0 || write(fd, bytes, len) != (ssize_t)len)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	e = settings_load(path, a, d, &settings);
	if ((e == ERR_NONE) != (diagnostics_count(d) == 0))
		abort();
	if (e == ERR_NONE && (settings.listener_count == 0 ||
				 settings.upstream_count == 0))
		abort();
	before = diagnostics_count(d);
	e = identities_load(path, a, d, &ids);
	if ((e == ERR_NONE) != (diagnostics_count(d) == before))
		abort();
	if (e == ERR_NONE) {
		check_identities(&ids, TEXT("alice"));
		check_identities(&ids, TEXT("copilot"));
		check_identities(&ids, TEXT("alice+copilot"));
	}
	close(fd);
	arena_free(a);
	return 0;
}
