/*
 * capability.c - what this process may, and what its programs will not.
 *
 * One rule: capabilities are looked at or given up, never taken.
 */
#include "master/capability.h"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { HALVES = _LINUX_CAPABILITY_U32S_3 };

static struct __user_cap_header_struct
header_of_self(void)
{
	return (struct __user_cap_header_struct){
	    .version = _LINUX_CAPABILITY_VERSION_3};
}

uint64_t
capabilities_now(void)
{
	struct __user_cap_header_struct header = header_of_self();
	struct __user_cap_data_struct data[HALVES] = {0};

	if (syscall(SYS_capget, &header, data) != 0)
		return 0;
	return (uint64_t)data[1].effective << 32 | data[0].effective;
}

void
capabilities_forbid(void)
{
	unsigned long number = 0;

	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	while (prctl(PR_CAPBSET_READ, number, 0, 0, 0) >= 0 &&
	    prctl(PR_CAPBSET_DROP, number, 0, 0, 0) == 0)
		number++;
}
