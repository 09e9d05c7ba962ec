/* words.c - open addressing, never more than half full, nothing removed. */
#include <stdlib.h>

#include "common/words.h"

struct words {
	struct word *slots; /* text.at NULL: free */
	size_t room;	    /* a power of two */
	size_t count;
};

struct words *
words_new(void)
{
	struct words *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return NULL;
	w->room = 1024;
	w->slots = calloc(w->room, sizeof(*w->slots));
	if (w->slots == NULL) {
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
	free(w);
}

static struct word *
words_slot(const struct words *w, struct text text, uint64_t hash)
{
	size_t at = hash & (w->room - 1);

	while (w->slots[at].text.at != NULL &&
	    (w->slots[at].hash != hash || !text_is(w->slots[at].text, text)))
		at = (at + 1) & (w->room - 1);
	return &w->slots[at];
}

static bool
words_grow(struct words *w)
{
	struct words bigger = {.room = w->room * 2, .count = w->count};
	size_t i;

	bigger.slots = calloc(bigger.room, sizeof(*bigger.slots));
	if (bigger.slots == NULL)
		return false;
	for (i = 0; i < w->room; i++) {
		struct word *old = &w->slots[i];

		if (old->text.at != NULL)
			*words_slot(&bigger, old->text, old->hash) = *old;
	}
	free(w->slots);
	*w = bigger;
	return true;
}

struct word *
words_put(struct words *w, struct text text)
{
	uint64_t hash = text_hash(text);
	struct word *slot = words_slot(w, text, hash);
	char *copy;

	if (slot->text.at != NULL)
		return slot;
	if (w->count * 2 >= w->room) {
		if (!words_grow(w))
			return NULL;
		slot = words_slot(w, text, hash);
	}
	copy = malloc(text.len + 1);
	if (copy == NULL)
		return NULL;
	memcpy(copy, text.at, text.len);
	copy[text.len] = '\0';
	slot->text = (struct text){copy, text.len};
	slot->hash = hash;
	w->count++;
	return slot;
}

const struct word *
words_find(const struct words *w, struct text text, uint64_t hash)
{
	const struct word *slot = words_slot(w, text, hash);

	return slot->text.at == NULL ? NULL : slot;
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
