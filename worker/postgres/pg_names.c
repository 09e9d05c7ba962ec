/*
 * pg_names.c - prepared statements and portals by name.
 *
 * An open hash table.  The rule: what a name leads to here is what it leads
 * to at the server, or the name is removed or marked as not sure.
 */
#include <stdlib.h>

#include "worker/postgres/pg.h"

struct entry {
	char *name; /* NULL: free */
	size_t len;
	void *value; /* NULL: removed, keep probing */
};

struct names {
	struct entry *entries;
	size_t size; /* power of two */
	size_t used; /* entries with a name, removed ones too */
	size_t count;
	void (*drop)(void *value);
};

enum {
	NAMES_SIZE = 16
};

struct names *
names_new(void (*drop)(void *value))
{
	struct names *n = calloc(1, sizeof(*n));

	if (n == NULL)
		return NULL;
	n->drop = drop;
	n->size = NAMES_SIZE;
	n->entries = calloc(n->size, sizeof(*n->entries));
	if (n->entries == NULL) {
		free(n);
		return NULL;
	}
	return n;
}

void
names_clear(struct names *n)
{
	size_t i;

	for (i = 0; i < n->size; i++) {
		if (n->entries[i].value != NULL)
			n->drop(n->entries[i].value);
		free(n->entries[i].name);
		n->entries[i] = (struct entry){0};
	}
	n->used = n->count = 0;
}

void
names_free(struct names *n)
{
	if (n == NULL)
		return;
	names_clear(n);
	free(n->entries);
	free(n);
}

/* A name in SQL, as the server cuts it: at a character's boundary. (Messages
 * with longer names are refused.) */
static struct text
cut(struct text name)
{
	if (name.len <= PG_NAME_MAX)
		return name;
	name.len = PG_NAME_MAX;
	while (
	    name.len > 0 && ((unsigned char)name.at[name.len] & 0xc0) == 0x80)
		name.len--;
	return name;
}

/* Where the name is, or the free place where its search ends. */
static struct entry *
find(const struct names *n, struct text name)
{
	size_t i;

	name = cut(name);
	i = text_hash(name) & (n->size - 1);
	while (n->entries[i].name != NULL &&
	       !text_is(
		   (struct text){n->entries[i].name, n->entries[i].len}, name))
		i = (i + 1) & (n->size - 1);
	return &n->entries[i];
}

void *
names_get(const struct names *n, struct text name)
{
	return find(n, name)->value;
}

/* A table of twice what is in use, without the removed. */
static enum err
rehash(struct names *n)
{
	struct entry *old = n->entries;
	size_t old_size = n->size, i, size = NAMES_SIZE;

	while (size < n->count * 4)
		size *= 2;
	n->entries = calloc(size, sizeof(*n->entries));
	if (n->entries == NULL) {
		n->entries = old;
		return ERR_MEMORY;
	}
	n->size = size;
	n->used = n->count;
	for (i = 0; i < old_size; i++) {
		struct text name = {old[i].name, old[i].len};

		if (old[i].value != NULL)
			*find(n, name) = old[i];
		else
			free(old[i].name);
	}
	free(old);
	return ERR_NONE;
}

enum err
names_set(struct names *n, struct text name, void *value)
{
	struct entry *e;

	name = cut(name);
	if ((n->used + 1) * 2 > n->size && rehash(n) != ERR_NONE)
		return ERR_MEMORY;
	e = find(n, name);
	if (e->name == NULL) {
		e->name = malloc(name.len + 1);
		if (e->name == NULL)
			return ERR_MEMORY;
		memcpy(e->name, name.at, name.len);
		e->name[name.len] = '\0';
		e->len = name.len;
		n->used++;
	}
	if (e->value != NULL)
		n->drop(e->value);
	else
		n->count++;
	e->value = value;
	return ERR_NONE;
}

static void
remove_entry(struct names *n, struct entry *e)
{
	if (e->value == NULL)
		return;
	n->drop(e->value);
	e->value = NULL;
	n->count--;
}

void
names_remove(struct names *n, struct text name)
{
	remove_entry(n, find(n, name));
}

void
names_remove_value(struct names *n, const void *value)
{
	size_t i;

	for (i = 0; i < n->size; i++) {
		if (n->entries[i].value == value)
			remove_entry(n, &n->entries[i]);
	}
}

void
names_each(struct names *n, void (*each)(void *value))
{
	size_t i;

	for (i = 0; i < n->size; i++) {
		if (n->entries[i].value != NULL)
			each(n->entries[i].value);
	}
}

void
names_end_transaction(struct names *portals, uint64_t batch)
{
	size_t i;

	for (i = 0; i < portals->size; i++) {
		struct portal *p = portals->entries[i].value;

		if (p != NULL && !p->is_held && p->batch <= batch)
			remove_entry(portals, &portals->entries[i]);
	}
}

size_t
names_count(const struct names *n)
{
	return n->count;
}

/* --- what the names lead to ----------------------------------------------- */

/* One process, one session: what these take together. */
static size_t bytes_of_names;

size_t
names_bytes(void)
{
	return bytes_of_names + rulings_bytes();
}

struct prepared *
prepared_new(
    struct ruling *j, struct text sql, struct text message, uint64_t batch)
{
	struct prepared *p = calloc(1, sizeof(*p) + message.len);

	if (p == NULL)
		return NULL;
	bytes_of_names += sizeof(*p) + message.len;
	p->sql = sql;
	if (message.len > 0) {
		p->message.at = memcpy(p + 1, message.at, message.len);
		p->message.len = message.len;
		p->sql.at = p->message.at + (sql.at - message.at);
	}
	p->references = 1;
	p->ruling = ruling_share(j);
	p->batch = batch;
	return p;
}

struct prepared *
prepared_share(struct prepared *p)
{
	p->references++;
	return p;
}

void
prepared_drop(void *value)
{
	struct prepared *p = value;

	if (p == NULL || --p->references > 0)
		return;
	bytes_of_names -= sizeof(*p) + p->message.len;
	ruling_drop(p->ruling);
	free(p);
}

struct portal *
portal_new(struct prepared *prepared, const struct pg_bind *b, uint64_t batch)
{
	size_t formats = (size_t)b->format_count * 2;
	struct portal *p;
	char *bytes;

	p = calloc(1, sizeof(*p) + formats + b->values.len);
	if (p == NULL)
		return NULL;
	p->bytes = sizeof(*p) + formats + b->values.len;
	bytes_of_names += p->bytes;
	bytes = (char *)(p + 1);
	p->references = 1;
	p->prepared = prepared_share(prepared);
	p->format_count = b->format_count;
	p->formats = (uint8_t *)bytes;
	p->values = (struct text){bytes + formats, b->values.len};
	if (formats > 0)
		memcpy(bytes, b->formats, formats);
	if (b->values.len > 0)
		memcpy(bytes + formats, b->values.at, b->values.len);
	p->batch = batch;
	return p;
}

struct portal *
portal_share(struct portal *p)
{
	p->references++;
	return p;
}

void
portal_drop(void *value)
{
	struct portal *p = value;

	if (p == NULL || --p->references > 0)
		return;
	bytes_of_names -= p->bytes;
	prepared_drop(p->prepared);
	shape_drop(p->shape);
	free(p);
}
