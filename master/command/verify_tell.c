/*
 * verify_tell.c - findings in words.
 */
#include <stdio.h>
#include <string.h>

#include "master/command/verify.h"

static const struct {
	const char *name;
	const char *one, *many; /* %s: which record, or records */
} words[FINDING_KINDS] = {
    [FINDING_CHANGED] = {.name = "changed",
	.one = "%s was changed"},
    [FINDING_ADDED] = {.name = "added",
	.one = "a line was added that pretends to be %s"},
    [FINDING_FALSE] = {.name = "false",
	.one = "%s was changed, or the line was added"},
    [FINDING_MISSING] = {.name = "missing",
	.one = "%s is missing here",
	.many = "%s are missing here"},
    [FINDING_LOST] = {.name = "lost",
	.one = "%s is missing: not taken by the sink, "
	       "this one says",
	.many = "%s are missing: not taken by the sink, "
		"this one says"},
    [FINDING_REORDERED] = {.name = "reordered",
	.one = "%s comes too late"},
    [FINDING_REPEATED] = {.name = "repeated",
	.one = "%s is here again"},
    [FINDING_NO_START] = {.name = "no-start",
	.one = "%s is not in these files",
	.many = "%s are not in these files"},
    [FINDING_NO_END] = {.name = "no-end",
	.one = "nothing comes behind %s: still under way, "
	       "or cut off"},
    [FINDING_NO_CHAIN] = {.name = "no-chain",
	.one = "%s is missing, all of it",
	.many = "%s are missing, all of them"},
    [FINDING_NO_BOOK] = {.name = "no-book",
	.one = "%s is missing: a whole life of the daemon",
	.many = "%s are missing: whole lives of the daemon"},
    [FINDING_USURPED] = {.name = "usurped",
	.one = "%s tells what its writer cannot know"},
    [FINDING_TWICE] = {.name = "twice",
	.one = "%s is of a session that another chain has"},
    [FINDING_UNSEALED] = {.name = "unsealed",
	.one = "no `mac`"},
    [FINDING_DAMAGED] = {.name = "damaged",
	.one = "not as Sallyport writes records"},
    [FINDING_TOO_FAR] = {.name = "too-far",
	.one = "%s is too far from what is known: not checked"},
};

const char *
finding_name(enum finding_kind kind)
{
	return words[kind].name;
}

/* "record 5 of chain 12.7 (session …)", "records 5 to 9 …" */
static void
subject_describe(const struct finding *f, char *out, size_t size)
{
	bool is_one = f->first == f->last;
	const char *what = f->kind == FINDING_NO_CHAIN ? "chain"
	    : f->kind == FINDING_NO_BOOK	       ? "book"
						       : "record";
	char numbers[64], of[96] = "", session[48] = "";

	snprintf(numbers, sizeof(numbers), is_one ? " %llu" : "s %llu to %llu",
	    (unsigned long long)f->first, (unsigned long long)f->last);
	if (f->chain[0] != '\0')
		snprintf(of, sizeof(of), " of %s %s",
		    f->kind == FINDING_NO_CHAIN ? "book" : "chain", f->chain);
	if (f->session[0] != '\0')
		snprintf(session, sizeof(session), " (session %s)", f->session);
	snprintf(out, size, "%s%s%s%s", what, numbers, of, session);
}

void
finding_describe(const struct finding *f, char *out, size_t size)
{
	bool is_one = f->first == f->last || words[f->kind].many == NULL;
	const char *text =
	    is_one ? words[f->kind].one : words[f->kind].many;
	const char *mark = strstr(text, "%s");
	char subject[256];

	if (mark == NULL) {
		snprintf(out, size, "%s", text);
		return;
	}
	subject_describe(f, subject, sizeof(subject));
	snprintf(out, size, "%.*s%s%s", (int)(mark - text), text, subject,
	    mark + strlen("%s"));
}
