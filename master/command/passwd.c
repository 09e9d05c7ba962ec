/*
 * passwd.c - an entry for identities.yaml.
 *
 * One rule: the password is echoed nowhere, kept nowhere, and wiped.
 */
#include <openssl/crypto.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "common/identity.h"
#include "common/scram.h"
#include "master/command/command.h"

enum { PASSWORD_MAX = 1024 };

/* One line of standard input without its newline. */
static bool
line_read(char *out, size_t size)
{
	size_t len;

	if (fgets(out, (int)size, stdin) == NULL)
		return false;
	len = strlen(out);
	if (len > 0 && out[len - 1] == '\n')
		out[--len] = '\0';
	else if (!feof(stdin))
		return false; /* longer than we take */
	return len > 0;
}

static bool
password_ask(const char *prompt, char *out, size_t size)
{
	struct termios before, silent;
	bool is_read;

	if (tcgetattr(STDIN_FILENO, &before) != 0)
		return false;
	silent = before;
	silent.c_lflag &= ~(tcflag_t)ECHO;
	fputs(prompt, stderr);
	if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent) != 0)
		return false;
	is_read = line_read(out, size);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
	fputc('\n', stderr);
	return is_read;
}

static int
password_get(char *out, size_t size)
{
	char again[PASSWORD_MAX];
	bool is_same;

	if (!isatty(STDIN_FILENO))
		return line_read(out, size)
		    ? EXIT_DONE
		    : command_fail("one line of standard input, 1 to %d "
				   "bytes, is the password",
			  PASSWORD_MAX - 2);
	if (!password_ask("Password: ", out, size) ||
	    !password_ask("Again: ", again, sizeof(again)))
		return command_fail("no password");
	is_same = strcmp(out, again) == 0;
	OPENSSL_cleanse(again, sizeof(again));
	return is_same ? EXIT_DONE : command_fail("they differ");
}

/* A name that can stand in YAML and in a login. */
static bool
name_is_plain(const char *name)
{
	size_t len = strlen(name);

	return len > 0 && len <= IDENTITY_NAME_MAX &&
	    strspn(name, "abcdefghijklmnopqrstuvwxyz"
			 "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._@-") == len &&
	    name[0] != '-' && name[0] != '@';
}

static int
entry_print(const struct arguments *a, const char *verifier)
{
	json_t *entry;

	if (!a->is_json) {
		printf("%s: {password: \"%s\"}\n", a->words[0], verifier);
		return EXIT_DONE;
	}
	entry = json_pack(
	    "{s:s, s:s}", "name", a->words[0], "password", verifier);
	json_print(entry);
	json_decref(entry);
	return EXIT_DONE;
}

int
run_passwd(const struct arguments *a)
{
	char password[PASSWORD_MAX], verifier[SCRAM_VERIFIER_MAX];
	int status;
	enum err e;

	if (!name_is_plain(a->words[0]))
		return command_fail("%s: letters, digits, and . _ @ - make a "
				    "name",
		    a->words[0]);
	status = password_get(password, sizeof(password));
	if (status == EXIT_DONE) {
		e = scram_verifier_make(text_of(password), verifier);
		status = e == ERR_NONE ? entry_print(a, verifier)
				       : command_fail("%s", err_text(e));
	}
	OPENSSL_cleanse(password, sizeof(password));
	return status;
}
