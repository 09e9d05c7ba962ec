/*
 * table.c - text for a terminal.
 *
 * One rule: nothing that a client wrote reaches the terminal as a control
 * character.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/text.h"
#include "master/command/command.h"

struct table {
	const struct column_title *titles;
	size_t columns, cells, size;
	char **texts;
	bool is_short; /* memory ran out: said when printing */
};

int64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

const char *
member_text(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text == NULL ? "" : text;
}

int64_t
member_number(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

void
age_write(int64_t from, int64_t to, char out[24])
{
	long s = from == 0 || to < from ? 0 : (long)((to - from) / 1000);

	if (from == 0)
		snprintf(out, 24, "-");
	else if (s < 120)
		snprintf(out, 24, "%lds", s);
	else if (s < 2 * 3600)
		snprintf(out, 24, "%ldm", s / 60);
	else if (s < 48 * 3600)
		snprintf(out, 24, "%ldh%ldm", s / 3600, s / 60 % 60);
	else
		snprintf(out, 24, "%ldd%ldh", s / 86400, s / 3600 % 24);
}

/* Does a character of three bytes turn the direction of a line (Unicode's
 * Bidi_Control)? */
static bool
turns_line(const char *at)
{
	const unsigned char b = (unsigned char)at[1], c = (unsigned char)at[2];

	return (unsigned char)at[0] == 0xe2 &&
	    ((b == 0x80 && (c == 0x8e || c == 0x8f || (c >= 0xaa && c <= 0xae))) ||
		(b == 0x81 && c >= 0xa6 && c <= 0xa9));
}

/* Bytes of the UTF-8 character at `at` (0 at the end); a control character,
 * C1 controls and what turns a line included, is `*is_control_out`. */
static size_t
character(const char *at, bool *is_control_out)
{
	unsigned char c = (unsigned char)at[0];
	size_t len = 1;

	*is_control_out = c < 0x20 || c == 0x7f;
	if (c == '\0')
		return 0;
	if (c < 0x80)
		return 1;
	while (((unsigned char)at[len] & 0xc0) == 0x80 && len < 4)
		len++;
	if (len == 1 || (c == 0xc2 && (unsigned char)at[1] < 0xa0))
		*is_control_out = true;
	if (len == 3 && turns_line(at))
		*is_control_out = true;
	return len;
}

static unsigned
width(const char *text, unsigned most)
{
	unsigned n = 0;
	bool is_control;
	size_t len;

	for (; (len = character(text, &is_control)) > 0; text += len)
		n++;
	return most > 0 && n > most ? most : n;
}

void
text_print(FILE *to, const char *text, unsigned most)
{
	unsigned n = 0;
	bool is_cut = most > 0 && width(text, 0) > most;
	bool is_control;
	size_t len;

	for (; (len = character(text, &is_control)) > 0; text += len) {
		if (is_cut && n + 1 >= most)
			break;
		if (is_control)
			fputc(strchr("\n\t", text[0]) ? ' ' : '?', to);
		else
			fwrite(text, 1, len, to);
		n++;
	}
	if (is_cut)
		fputs("…", to);
}

struct table *
table_new(const struct column_title *titles, size_t count)
{
	struct table *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return NULL;
	t->titles = titles;
	t->columns = count < TABLE_COLUMNS_MAX ? count : TABLE_COLUMNS_MAX;
	return t;
}

void
table_cell(struct table *t, const char *text)
{
	if (t->cells == t->size) {
		size_t size = t->size * 2 + 64;
		char **more = realloc(t->texts, size * sizeof(*more));

		if (more == NULL) {
			t->is_short = true;
			return;
		}
		t->texts = more;
		t->size = size;
	}
	t->texts[t->cells] = strdup(text);
	if (t->texts[t->cells] == NULL)
		t->is_short = true;
	else
		t->cells++;
}

static void
row_print(const struct table *t, const unsigned *widths, char *const *cells,
    FILE *to)
{
	size_t i;

	for (i = 0; i < t->columns; i++) {
		unsigned most = t->titles[i].most;
		const char *cell =
		    cells == NULL ? t->titles[i].title : cells[i];
		bool is_last = i + 1 == t->columns;
		unsigned pad = widths[i] - width(cell, most);

		text_print(to, cell, most);
		if (!is_last)
			fprintf(to, "%*s", (int)pad + 2, "");
	}
	fputc('\n', to);
}

void
table_print(struct table *t, FILE *to)
{
	unsigned widths[TABLE_COLUMNS_MAX] = {0};
	size_t i;

	for (i = 0; i < t->columns; i++)
		widths[i] = width(t->titles[i].title, t->titles[i].most);
	for (i = 0; i < t->cells; i++) {
		size_t column = i % t->columns;
		unsigned w = width(t->texts[i], t->titles[column].most);

		if (w > widths[column])
			widths[column] = w;
	}
	row_print(t, widths, NULL, to);
	for (i = 0; i + t->columns <= t->cells; i += t->columns)
		row_print(t, widths, t->texts + i, to);
	if (t->is_short)
		command_fail("out of memory: the table is not whole");
	for (i = 0; i < t->cells; i++)
		free(t->texts[i]);
	free(t->texts);
	free(t);
}
