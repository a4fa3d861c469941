"""A SQLite file that one process holds: how journals open it, write to it, and explain its errors.

Nobody waits for the disk: a killed process loses nothing that was told of, a power cut the last of
it.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from facesort.common.job import InputError
from facesort.common.open_files import used_up


def connect(path: Path) -> sqlite3.Connection:
    """Open a file, made if need be. Threads may share it, one at a time."""
    database = sqlite3.connect(path, timeout=1, isolation_level=None, check_same_thread=False)
    # One process at a time; without shared memory, the log also works on network file systems.
    for pragma in (
        "locking_mode = EXCLUSIVE",
        "journal_mode = WAL",
        "synchronous = NORMAL",
        "cache_size = -500",
        # What is deleted is overwritten.
        "secure_delete = ON",
    ):
        database.execute(f"PRAGMA {pragma}")
    return database


def erase_leftovers(database: sqlite3.Connection) -> None:
    """Write the file anew: pages may hold stale copies of rows that were deleted since."""
    database.execute("VACUUM")


@contextmanager
def transaction(database: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """The database, for statements that count all together or not at all."""
    database.execute("BEGIN")
    try:
        yield database
        database.execute("COMMIT")
    except BaseException:
        if database.in_transaction:
            database.execute("ROLLBACK")
        raise


def explained(error: sqlite3.Error, busy: str, damaged: str) -> str:
    """What SQLite's error means, and what helps.

    Args:
        busy: what to say of a file that another process holds.
        damaged: what to do about one that is damaged.
    """
    # The last byte of a code is its kind: https://www.sqlite.org/rescode.html
    match getattr(error, "sqlite_errorcode", 0) & 0xFF:
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return busy
        case sqlite3.SQLITE_NOTADB | sqlite3.SQLITE_CORRUPT:
            return f"damaged ({error}); {damaged}"
        case sqlite3.SQLITE_FULL:
            return "no space left on the disk; free some and rerun"
    return used_up(error) or str(error)


@contextmanager
def explaining(path: Path, busy: str, damaged: str) -> Iterator[None]:
    """Errors of a database as an ``InputError`` that names its file; arguments as ``explained``."""
    try:
        yield
    except sqlite3.Error as error:
        raise InputError(f"{path}: {explained(error, busy, damaged)}") from None
    except OSError as error:
        raise InputError(f"{path}: {used_up(error) or error.strerror}") from None
