/*
 * confine_roles.c - which system calls, files and limits each process has.
 *
 * One rule: a call is here because something in that process makes it after
 * it has entered its sandbox; whatever it needs before that, it does before.
 * Arguments are compared where a call has a side that nobody needs.
 */
#include "master/confine_roles.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/futex.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "master/capability.h"

#define CALL(its_name, ...)                                                    \
	{                                                                      \
		.name = #its_name, .when = { __VA_ARGS__ }                     \
	}
/* An int: the kernel does not look at the upper half, nor does the filter. */
#define IS(its_argument, its_value)                                            \
	MASKED(its_argument, UINT32_MAX, its_value)
#define IS_NULL(its_argument) MASKED(its_argument, UINT64_MAX, 0)
#define MASKED(its_argument, its_mask, its_value)                              \
	{.is_used = true, .argument = (its_argument), .mask = (its_mask),      \
	    .value = (its_value)}
#define GROUP(name) {name, sizeof(name) / sizeof(*(name))}
#define END {NULL, 0}

/* --- what nearly everybody does ------------------------------------------- */

/* A futex of the kind that waits and wakes; priority inheritance and
 * requeueing have been doors into the kernel. */
enum { FUTEX_KIND = 0x7f };

static const struct call basics[] = {
    CALL(read),
    CALL(readv),
    CALL(write),
    CALL(writev),
    CALL(close),
    CALL(poll),
    CALL(ppoll),
    CALL(brk),
    CALL(mmap, MASKED(2, PROT_EXEC, 0)),
    CALL(mprotect, MASKED(2, PROT_EXEC, 0)),
    CALL(munmap),
    CALL(mremap),
    CALL(madvise),
    CALL(futex, MASKED(1, FUTEX_KIND, FUTEX_WAIT)),
    CALL(futex, MASKED(1, FUTEX_KIND, FUTEX_WAKE)),
    CALL(futex, MASKED(1, FUTEX_KIND, FUTEX_WAIT_BITSET)),
    CALL(clock_gettime),
    CALL(gettimeofday),
    CALL(time),
    CALL(clock_nanosleep),
    CALL(nanosleep),
    CALL(restart_syscall),
    CALL(getpid),
    CALL(gettid),
    CALL(getrandom),
    CALL(sysinfo), /* qsort() asks how much memory there is */
    CALL(rt_sigprocmask),
    CALL(rt_sigaction),
    CALL(rt_sigreturn),
    CALL(exit),
    CALL(exit_group),
};

/* Speaking over sockets that are there. Not sendto() to an address: a
 * datagram socket would take any. */
static const struct call talk[] = {
    CALL(recvfrom),
    CALL(recvmsg),
    CALL(sendto, IS_NULL(4)),
    CALL(sendmsg),
    CALL(sendmmsg),
    CALL(shutdown),
    CALL(getsockopt, IS(1, SOL_SOCKET)),
};

/* How long a sink that somebody else has opened may keep one waiting. */
static const struct call limit[] = {
    CALL(setsockopt, IS(1, SOL_SOCKET), IS(2, SO_SNDTIMEO)),
};

/* What is set on a socket that somebody else has opened. */
static const struct call tune[] = {
    CALL(setsockopt, IS(1, SOL_SOCKET), IS(2, SO_KEEPALIVE)),
    CALL(setsockopt, IS(1, IPPROTO_TCP), IS(2, TCP_NODELAY)),
    CALL(fcntl, IS(1, F_GETFL)),
    /* what waits is shared with others, whom it would keep waiting */
    CALL(fcntl, IS(1, F_SETFL),
	MASKED(2, O_NONBLOCK | O_ASYNC | O_DIRECT | O_APPEND, O_NONBLOCK)),
};

/* The worker that refuses politely: many clients, one after the other. */
static const struct call greet[] = {
    CALL(accept4),
    CALL(epoll_ctl),
    CALL(getpeername),
    CALL(getsockname),
};

/* Where a client's socket leads that a worker shows. */
static const struct call trace[] = {
    CALL(getpeername),
    CALL(getsockname),
};

/* Waiting for many at a time. */
static const struct call watch[] = {
    CALL(epoll_ctl),
    CALL(epoll_wait),
};

/* LMDB on files that are open. */
static const struct call store_reads[] = {
    CALL(pread64),
    CALL(fcntl, IS(1, F_SETLK)),
    CALL(fcntl, IS(1, F_GETLK)),
};

static const struct call store_writes[] = {
    CALL(pwrite64),
    CALL(pwritev),
    CALL(lseek),
    CALL(ftruncate),
    CALL(fdatasync),
    CALL(fsync),
    CALL(msync),
};

/* Decisions of people: one at a time. */
static const struct call decide[] = {
    CALL(fcntl, IS(1, F_SETLKW)),
};

/* Telling a session to look. */
static const struct call rouse[] = {
    CALL(kill, IS(1, SIGUSR1)),
};

/* Reading configuration, and asking for accounts whatever services this host
 * knows them by (their libraries are loaded then; the policy's patterns are
 * compiled to machine code). */
static const struct call look_up[] = {
    CALL(openat),
    CALL(open),
    CALL(stat),
    CALL(lstat),
    CALL(fstat),
    CALL(newfstatat),
    CALL(statx),
    CALL(statfs),
    CALL(fstatfs),
    CALL(access),
    CALL(faccessat),
    CALL(faccessat2),
    CALL(readlink),
    CALL(readlinkat),
    CALL(lgetxattr),
    CALL(getdents64),
    CALL(getxattr),
    CALL(lgetxattr),
    CALL(fgetxattr),
    CALL(getcwd),
    CALL(lseek),
    CALL(pread64),
    CALL(fcntl),
    CALL(flock),
    CALL(dup),
    CALL(dup2),
    CALL(dup3),
    CALL(pipe2),
    CALL(mmap),
    CALL(mprotect),
    CALL(ioctl),
    CALL(uname),
    CALL(getuid),
    CALL(geteuid),
    CALL(getgid),
    CALL(getegid),
    CALL(getresuid),
    CALL(getresgid),
    CALL(getgroups),
    CALL(getppid),
    CALL(umask),
    CALL(prctl),
    CALL(getrlimit),
    CALL(prlimit64, IS(2, 0)),
    CALL(sched_yield),
    CALL(sched_getaffinity),
    CALL(getcpu),
    CALL(socket),
    CALL(connect),
    CALL(bind),
    CALL(getsockopt),
    CALL(setsockopt),
    CALL(getpeername),
    CALL(getsockname),
    CALL(select),
    CALL(pselect6),
    CALL(epoll_create1),
    CALL(epoll_ctl),
    CALL(epoll_wait),
    CALL(epoll_pwait),
    CALL(eventfd2),
    CALL(timerfd_create),
    CALL(timerfd_settime),
    CALL(memfd_create),
    CALL(inotify_init1),
    CALL(inotify_add_watch),
    CALL(membarrier),
    CALL(rseq),
    CALL(set_robust_list),
};

static const struct call store_makes[] = {
    CALL(mkdir),
    CALL(mkdirat),
    CALL(unlink),
    CALL(unlinkat),
    CALL(fchmod),
};

/* --- what nobody does ------------------------------------------------------ */

/* Master forks all others and starts programs, so it refuses what none of
 * them has any use for: looking into other processes, mounts, namespaces, the
 * kernel's own programs and keys, asynchronous system calls, the clock. */
static const struct call nobody[] = {
    CALL(ptrace),
    CALL(process_vm_readv),
    CALL(process_vm_writev),
    CALL(process_madvise),
    CALL(pidfd_getfd),
    CALL(kcmp),
    CALL(mount),
    CALL(umount2),
    CALL(pivot_root),
    CALL(move_mount),
    CALL(open_tree),
    CALL(fsopen),
    CALL(fsconfig),
    CALL(fsmount),
    CALL(fspick),
    CALL(mount_setattr),
    CALL(setns),
    CALL(unshare),
    CALL(clone3), /* its flags cannot be looked at; clone() is used then */
    CALL(clone, MASKED(0, CLONE_NEWUSER, CLONE_NEWUSER)),
    CALL(clone, MASKED(0, CLONE_NEWNS, CLONE_NEWNS)),
    CALL(clone, MASKED(0, CLONE_NEWNET, CLONE_NEWNET)),
    CALL(clone, MASKED(0, CLONE_NEWPID, CLONE_NEWPID)),
    CALL(bpf),
    CALL(perf_event_open),
    CALL(userfaultfd),
    CALL(io_uring_setup),
    CALL(io_uring_enter),
    CALL(io_uring_register),
    CALL(keyctl),
    CALL(add_key),
    CALL(request_key),
    CALL(personality),
    CALL(kexec_load),
    CALL(kexec_file_load),
    CALL(init_module),
    CALL(finit_module),
    CALL(delete_module),
    CALL(reboot),
    CALL(swapon),
    CALL(swapoff),
    CALL(acct),
    CALL(quotactl),
    CALL(settimeofday),
    CALL(clock_settime),
    CALL(clock_adjtime),
    CALL(adjtimex),
    CALL(sethostname),
    CALL(setdomainname),
    CALL(iopl),
    CALL(ioperm),
    CALL(modify_ldt),
    CALL(vhangup),
    CALL(name_to_handle_at),
    CALL(open_by_handle_at),
    CALL(syslog),
    CALL(move_pages),
    CALL(migrate_pages),
    CALL(mbind),
    CALL(set_mempolicy),
    CALL(uselib),
};

/* Tokens that were used are remembered in a mapped file (token_once.h). */
static const struct call remember[] = {
    CALL(flock, IS(1, LOCK_EX)),
    CALL(flock, IS(1, LOCK_UN)),
};

static const struct call_group of_worker[] = {
    GROUP(basics), GROUP(talk), GROUP(limit), GROUP(tune), GROUP(store_reads), END};
static const struct call_group of_refuser[] = {
    GROUP(basics), GROUP(talk), GROUP(limit), GROUP(tune), GROUP(greet), END};
static const struct call_group of_broker[] = {
    GROUP(basics), GROUP(talk), GROUP(limit), GROUP(watch), GROUP(trace), END};
static const struct call_group of_verifier[] = {
    GROUP(basics), GROUP(talk), GROUP(remember), END};
static const struct call_group of_catalog[] = {GROUP(basics), GROUP(talk),
    GROUP(limit), GROUP(tune), GROUP(store_reads), GROUP(store_writes), END};
static const struct call_group of_publisher[] = {GROUP(basics), GROUP(talk),
    GROUP(look_up), GROUP(store_reads), GROUP(store_writes),
    GROUP(store_makes), END};
static const struct call_group of_control[] = {
    GROUP(basics), GROUP(talk), GROUP(decide), GROUP(rouse), END};
static const struct call_group of_master[] = {GROUP(nobody), END};

/* --- limits ---------------------------------------------------------------- */

#define DESCRIPTORS 512

/* Memory of its own; the stores it reads are mapped and do not count. */
#define OWN_MEMORY ((rlim_t)4 << 30)

static const struct sandbox_limit quiet[] = {
    {RLIMIT_NPROC, 0},
    {RLIMIT_NOFILE, DESCRIPTORS},
    {RLIMIT_DATA, OWN_MEMORY},
    {RLIMIT_MEMLOCK, 0},
    {RLIMIT_MSGQUEUE, 0},
    {0, LIMIT_END},
};

/* The broker has a descriptor for each worker. */
static const struct sandbox_limit crowded[] = {
    {RLIMIT_NPROC, 0},
    {RLIMIT_DATA, OWN_MEMORY},
    {RLIMIT_MSGQUEUE, 0},
    {0, LIMIT_END},
};

static const struct sandbox_limit unlimited[] = {{0, LIMIT_END}};

/* --- the roles ------------------------------------------------------------- */

const struct confine_role confine_roles[CONFINEMENTS] = {
    [CONFINE_MASTER] = {.name = "master",
	.groups = of_master,
	.is_refusal = true,
	.files = FILES_ALL,
	.sends_signals = true,
	/* to become the account, to make roots, to end its children; to read
	 * secrets and the policy's store, which are others'; what the porter
	 * looks at processes with */
	.capabilities = CAPABILITY(CAP_SETUID) | CAPABILITY(CAP_SETGID) |
	    CAPABILITY(CAP_SYS_CHROOT) | CAPABILITY(CAP_KILL) |
	    CAPABILITY(CAP_DAC_OVERRIDE) | CAPABILITY(CAP_DAC_READ_SEARCH) |
	    CAPABILITY(CAP_SYS_PTRACE),
	.limits = unlimited},
    [CONFINE_WORKER] = {.name = "worker",
	.groups = of_worker,
	.files = FILES_NONE,
	.limits = quiet},
    [CONFINE_REFUSER] = {.name = "refuser",
	.groups = of_refuser,
	.files = FILES_NONE,
	.limits = quiet},
    [CONFINE_BROKER] = {.name = "broker",
	.groups = of_broker,
	.files = FILES_NONE,
	.limits = crowded},
    [CONFINE_PORTER] = {.name = "porter",
	.groups = of_master,
	.is_refusal = true,
	.files = FILES_ALL,
	.sends_signals = true,
	.capabilities =
	    CAPABILITY(CAP_SYS_PTRACE) | CAPABILITY(CAP_DAC_READ_SEARCH),
	.limits = unlimited},
    [CONFINE_VERIFIER] = {.name = "verifier",
	.groups = of_verifier,
	.files = FILES_NONE,
	.is_program = true,
	.limits = quiet},
    [CONFINE_CATALOG] = {.name = "catalog",
	.groups = of_catalog,
	.files = FILES_CATALOG,
	.limits = quiet},
    [CONFINE_PUBLISHER] = {.name = "publisher",
	.groups = of_publisher,
	.files = FILES_PUBLISHER,
	.limits = quiet},
    [CONFINE_CONTROL] = {.name = "control",
	.groups = of_control,
	.files = FILES_NONE,
	.sends_signals = true,
	.limits = quiet},
};
