/*
 * scoreboard.h - master's part in the shared memory (common/board.h): counting
 * workers, clearing after the dead, and what the last reload said.
 */
#ifndef SALLYPORT_SCOREBOARD_H
#define SALLYPORT_SCOREBOARD_H

#include "master/master.h"

/* Count living workers by what their slots say. What a worker may have
 * written there can only make it busy. */
void scoreboard_count(struct master *m, struct pool_counts *out);

/* Is this worker one that has not had a client yet? */
bool scoreboard_is_spare(const struct master *m, const struct child *worker);

/* A slot without a process, not the last one; slot_count when none. */
uint32_t scoreboard_free_slot(const struct master *m);

/* The worker of this slot is dead: withdraw what it held, free its slot. */
void scoreboard_bury(struct master *m, uint32_t slot);

/* Tell a reload's result. `text` has a line for each error; loaded_at and
 * the generation change only when it did not fail. */
void scoreboard_reloaded(struct master *m, int64_t started_at, bool is_failed,
    const char *text, uint64_t generation);

struct reload_result {
	int64_t loaded_at, reload_at;
	bool is_failed;
	char text[STATUS_TEXT_MAX];
};

/* A consistent copy, for readers. */
void scoreboard_reload_result(
    const struct scoreboard *board, struct reload_result *out);

/* Does the worker of this place hold a statement that nobody has decided? Its
 * number and what has been decided so far in `word_out`. */
bool scoreboard_is_held(
    const struct scoreboard *board, uint32_t place, uint64_t *word_out);

/* One word for a state, static; "?" for a number that is none. */
const char *slot_state_name(int state);

#endif
