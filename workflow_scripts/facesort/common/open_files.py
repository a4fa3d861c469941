"""How many files and connections a process may have open at once, and what to say at the limit."""

import errno
import os
import resource
from contextlib import suppress
from pathlib import Path
from typing import Final

# What Linux grants at most unless it is set up otherwise, where the hard limit names no number.
MOST: Final = 1_048_576


def raise_limit() -> int:
    """Let this process open as many files as its user may. Returns how many."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = MOST if hard == resource.RLIM_INFINITY else hard
    if soft != resource.RLIM_INFINITY and soft < most:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST if soft == resource.RLIM_INFINITY else soft


def count_open() -> int:
    """How many files and connections this process has open."""
    try:
        return sum(1 for _ in Path("/proc/self/fd").iterdir())
    except OSError:
        return 64  # not Linux


def used_up(error: Exception) -> str:
    """What to say if an error comes from the limit of open files; else empty.

    SQLite and the look-up of names do not tell: then opening a file is tried.
    """
    number = getattr(error, "errno", None)
    if number is None or number < 0:
        try:
            os.close(os.open(os.devnull, os.O_RDONLY))
        except OSError as tried:
            number = tried.errno
    if number == errno.EMFILE:
        limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        return f"no more than {limit:,} files may be open at once; raise the limit (`ulimit -n`)"
    if number == errno.ENFILE:
        return "this machine has too many files open; end other programs"
    return ""
