"""The limit of open files: raised as far as may be, and named where it is met."""

import errno
import os
import socket
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from facesort.common.job import InputError, job, unreadable
from facesort.common.open_files import used_up

SCRIPTS = Path(__file__).parents[2] / "workflow_scripts"
RAISED = """
import os, resource, sys
from facesort.common.open_files import count_open, raise_limit
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 200))
before = count_open()
print(raise_limit(), *resource.getrlimit(resource.RLIMIT_NOFILE))
files = [os.open(os.devnull, os.O_RDONLY) for _ in range(150)]
print(count_open() - before)
"""
USED_UP = """
import os, resource
from pathlib import Path
import sqlite3
from facesort.common.open_files import count_open, used_up
resource.setrlimit(resource.RLIMIT_NOFILE, (count_open() - 1, 4096))
try:
    sqlite3.connect("a.sqlite").execute("SELECT 1 FROM sqlite_master")
except sqlite3.Error as error:
    print(error, "/", used_up(error))
"""


def run_python(code, folder):
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(SCRIPTS)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()


def test_the_limit_is_raised_to_the_users_own(tmp_path):
    assert run_python(RAISED, tmp_path) == ["200 200 200", "150"]


def test_what_meets_the_limit_says_so_even_where_its_error_does_not(tmp_path):
    (said,) = run_python(USED_UP, tmp_path)
    assert said.startswith("unable to open database file / no more than ")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.EMFILE, "Too many open files"), "raise the limit (`ulimit -n`)"),
        (OSError(errno.ENFILE, "Too many open files in system"), "end other programs"),
        (OSError(errno.ENOENT, "No such file or directory"), ""),
        (sqlite3.OperationalError("no such table"), ""),
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), ""),
        (ValueError("not a number"), ""),
    ],
)
def test_only_that_error_is_called_so(error, words):
    assert words in used_up(error) and bool(words) == bool(used_up(error))


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.EMFILE, "Too many open files"), "raise the limit (`ulimit -n`)"),
        (OSError(errno.ENOSPC, "No space left on device"), "free some and rerun"),
        (sqlite3.OperationalError("database or disk is full"), "free some and rerun"),
        (OSError(errno.EROFS, "Read-only file system"), "make it writable and rerun"),
        (OSError(errno.EACCES, "Permission denied"), "give this user the right to it"),
        (MemoryError("Unable to allocate 3 GiB"), "not enough memory (Unable to allocate 3 GiB)"),
    ],
)
def test_a_fault_of_the_machine_ends_in_what_helps(tmp_path, capfd, error, words):
    with pytest.raises(SystemExit), job(tmp_path / "job.log"):
        raise error
    (said,) = capfd.readouterr().err.splitlines()
    assert said.startswith("error: ") and words in said and "traceback" not in said


@pytest.mark.parametrize(
    ("error", "deletes"),
    [
        (OSError(errno.EMFILE, "Too many open files"), False),
        (OSError(errno.EACCES, "Permission denied"), False),
        (OSError(errno.EIO, "Input/output error"), False),
        (OSError(errno.ENOENT, "No such file or directory"), False),
        (OSError("Couldn't deserialize thrift"), True),
        (ValueError("mmap length is greater than file size"), True),
    ],
)
def test_to_delete_is_advised_for_what_is_damaged_alone(error, deletes):
    told = unreadable("results/a.npy", "a readable .npy array", error)
    assert isinstance(told, InputError)
    assert ("delete" in str(told)) == deletes
    assert str(told).startswith("results/a.npy: ")


def test_memory_that_runs_out_damages_no_file():
    error = MemoryError()
    assert unreadable("results/a.npy", "a readable .npy array", error) is error
