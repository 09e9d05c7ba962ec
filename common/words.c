/* words.c - open addressing, never more than half full, nothing removed. */
#include <stdlib.h>

#include "common/words.h"

struct words {
	struct word *slots; /* text.at NULL: free */
	/* 0: free, else tag_of() its hash: most look-ups end here, and all of
	 * them stay in the cache */
	uint32_t *tags;
	size_t room; /* of each; a power of two */
	size_t count;
};

static uint32_t
tag_of(uint64_t hash)
{
	return (uint32_t)(hash >> 32) | 1;
}

/* Empty slots, so many. */
static bool
words_take_room(struct words *w, size_t room)
{
	w->room = room;
	w->slots = calloc(room, sizeof(*w->slots));
	w->tags = calloc(room, sizeof(*w->tags));
	if (w->slots != NULL && w->tags != NULL)
		return true;
	free(w->slots);
	free(w->tags);
	return false;
}

struct words *
words_new(void)
{
	struct words *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return NULL;
	if (!words_take_room(w, 1024)) {
		free(w);
		return NULL;
	}
	return w;
}

void
words_free(struct words *w)
{
	size_t i;

	if (w == NULL)
		return;
	for (i = 0; i < w->room; i++) {
		free((char *)(uintptr_t)w->slots[i].text.at);
		free(w->slots[i].rules);
	}
	free(w->slots);
	free(w->tags);
	free(w);
}

/* Where it is, or where it would be. */
static size_t
words_slot(const struct words *w, struct text text, uint64_t hash)
{
	size_t at = hash & (w->room - 1);

	while (w->tags[at] != 0 &&
	    (w->tags[at] != tag_of(hash) || w->slots[at].hash != hash ||
		!text_is(w->slots[at].text, text)))
		at = (at + 1) & (w->room - 1);
	return at;
}

static bool
words_grow(struct words *w)
{
	struct words bigger = {.count = w->count};
	size_t i, at;

	if (!words_take_room(&bigger, w->room * 2))
		return false;
	for (i = 0; i < w->room; i++) {
		const struct word *old = &w->slots[i];

		if (w->tags[i] == 0)
			continue;
		at = words_slot(&bigger, old->text, old->hash);
		bigger.slots[at] = *old;
		bigger.tags[at] = w->tags[i];
	}
	free(w->slots);
	free(w->tags);
	*w = bigger;
	return true;
}

struct word *
words_put(struct words *w, struct text text)
{
	uint64_t hash = text_hash(text);
	size_t at = words_slot(w, text, hash);
	struct word *slot;
	char *copy;

	if (w->tags[at] != 0)
		return &w->slots[at];
	if (w->count * 2 >= w->room) {
		if (!words_grow(w))
			return NULL;
		at = words_slot(w, text, hash);
	}
	slot = &w->slots[at];
	copy = malloc(text.len + 1);
	if (copy == NULL)
		return NULL;
	memcpy(copy, text.at, text.len);
	copy[text.len] = '\0';
	slot->text = (struct text){copy, text.len};
	slot->hash = hash;
	w->tags[at] = tag_of(hash);
	w->count++;
	return slot;
}

const struct word *
words_find(const struct words *w, struct text text, uint64_t hash)
{
	size_t at = words_slot(w, text, hash);

	return w->tags[at] == 0 ? NULL : &w->slots[at];
}

enum err
words_add_rule(
    struct words *w, struct text text, const struct class_rule *rule)
{
	struct word *word = words_put(w, text);
	const struct class_rule **rules;

	if (word == NULL)
		return ERR_MEMORY;
	rules = reallocarray(
	    word->rules, word->rule_count + 1, sizeof(*rules));
	if (rules == NULL)
		return ERR_MEMORY;
	rules[word->rule_count++] = rule;
	word->rules = rules;
	return ERR_NONE;
}
