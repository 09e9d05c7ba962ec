/*
 * alone.h - one daemon for each state folder.
 */
#ifndef SALLYPORT_ALONE_H
#define SALLYPORT_ALONE_H

#include "common/err.h"

/* Claim the folder for this process, for as long as it lives: its children
 * neither have the claim nor can keep or lose it. The descriptor in `*fd_out`
 * must stay open, and the file behind it must not be opened again here.
 * ERR_REFUSED: another daemon has it (said in the log, with its process id);
 * ERR_SYSTEM, ERR_TOO_LONG (said, too). */
enum err alone_claim(const char *folder, int *fd_out) MUST_CHECK;

#endif
