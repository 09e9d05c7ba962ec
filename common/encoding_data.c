/*
 * encoding_data.c - the tables that the build has made, as they are.
 */
#include "common/encoding_data.h"

__asm__(".section .rodata\n"
	".balign 8\n"
	".globl encoding_data\n"
	".hidden encoding_data\n"
	"encoding_data:\n"
	".incbin \"" ENCODING_DATA "\"\n"
	".previous\n");
