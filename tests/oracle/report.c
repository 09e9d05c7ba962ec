/*
 * report.c - see report.h.
 */
#include <stdio.h>
#include <string.h>

#include "report.h"

enum { FINDINGS_MAX = 256, EXAMPLE_MAX = 600 };

static struct finding {
	char name[64];
	size_t count, shown;
} findings[FINDINGS_MAX];

static size_t finding_count, examples_wrong = 3, examples_needless;
static const char *current;

void
report_statement(const char *sql)
{
	current = sql;
}

void
report_examples(size_t wrong, size_t needless)
{
	examples_wrong = wrong;
	examples_needless = needless;
}

static struct finding *
finding_named(const char *name)
{
	size_t i;

	for (i = 0; i < finding_count; i++) {
		if (strcmp(findings[i].name, name) == 0)
			return &findings[i];
	}
	/* beyond what there is room for, the last stands for the rest */
	if (finding_count < FINDINGS_MAX)
		finding_count++;
	i = finding_count - 1;
	snprintf(findings[i].name, sizeof(findings[i].name), "%s", name);
	return &findings[i];
}

static void
show_example(const char *name)
{
	size_t i;

	printf("%s: ", name);
	for (i = 0; current[i] != '\0' && i < EXAMPLE_MAX; i++)
		putchar(current[i] == '\n' ? ' ' : current[i]);
	putchar('\n');
}

void
report_find(bool is_wrong, const char *what, const char *detail)
{
	char name[sizeof(findings[0].name)];
	struct finding *f;

	snprintf(name, sizeof(name), "%s %s", what, detail);
	f = finding_named(name);
	f->count++;
	if (f->shown < (is_wrong ? examples_wrong : examples_needless)) {
		f->shown++;
		show_example(name);
	}
}

void
report_print(void)
{
	size_t i;

	for (i = 0; i < finding_count; i++)
		printf("%8zu  %s\n", findings[i].count, findings[i].name);
}
