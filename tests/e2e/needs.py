"""What a test needs of the machine and the build; without it, it is skipped,
and counted so: a test that did not look has not passed."""

import os
import platform

# every test over TLS, with clients and with the database
OVER_TLS = os.environ.get("SALLYPORT_TEST_TLS", "") != ""
SANITIZED = os.environ.get("SALLYPORT_TEST_SANITIZED", "") != ""


class Skipped(Exception):
    """Why a test was not run here."""


def _unless(is_there, why):
    if not is_there:
        raise Skipped(why)


def is_root():
    return os.geteuid() == 0


def root():
    """To be somebody else, to start a daemon as root, to see others' memory,
    to make a service of PAM."""
    _unless(is_root(), "root only")


def walls():
    """The sandbox: sanitizers call what it forbids."""
    _unless(not SANITIZED, "a sanitized build has no walls")


def little_memory():
    """Processes whose whole memory can be searched."""
    _unless(not SANITIZED, "a sanitizer maps more than can be searched")


def clear():
    """Connections without TLS."""
    _unless(not OVER_TLS, "everything is over TLS")


def hole():
    """The hole's system calls, which are given by number."""
    _unless(platform.machine() == "x86_64",
            "the hole's system calls have the numbers of x86_64")
