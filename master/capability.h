/*
 * capability.h - capabilities(7), seen and given up. Those to keep are kept by
 * sandbox_keep_capabilities() (common/sandbox.h).
 */
#ifndef SALLYPORT_CAPABILITY_H
#define SALLYPORT_CAPABILITY_H

#include <stdint.h>

#define CAPABILITY(number) (UINT64_C(1) << (number))

/* What is in effect. */
uint64_t capabilities_now(void);

/* No program that is exec'd will have any. It takes root, and does nothing
 * without: then there is nothing to give away. */
void capabilities_forbid(void);

#endif
