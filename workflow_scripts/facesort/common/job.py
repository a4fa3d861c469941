"""What every script shares: a log, a progress line, and errors that a user can act on."""

import errno
import fcntl
import os
import resource
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from facesort.common.lines import job_name, shortened
from facesort.common.open_files import used_up

# Of the job that runs in this process.
_name = ""


class InputError(Exception):
    """The user's input is wrong. The message is one line: file, row or key, and what to do."""


class _Tee:
    """A text stream that writes to several others."""

    def __init__(self, *streams: "TextIO | _Tee") -> None:
        self.streams = streams

    def write(self, text: str) -> int:
        for stream in self.streams:
            try:
                stream.write(text)
                stream.flush()
            except OSError:
                pass  # a full disk; there the other one still tells
        return len(text)

    def flush(self) -> None:
        for stream in self.streams:
            stream.flush()

    def isatty(self) -> bool:
        return False


class _Alarms(_Tee):
    """Passes on just lines that begin with ``error:`` or ``warning:``, long ones cut short.

    Args:
        log: where the whole of them stands.
    """

    def __init__(self, stream: "TextIO | _Tee", log: Path) -> None:
        super().__init__(stream)
        self.log, self.rest = log, ""

    def write(self, text: str) -> int:
        *lines, self.rest = (self.rest + text).split("\n")
        for line in lines:
            if line.startswith(("error:", "warning:")):
                super().write(shortened(line, self.log) + "\n")
        return len(text)


@contextmanager
def job(log_path: str | Path) -> Iterator[None]:
    """Run a script's body: copy its output to the log, and end errors in one line.

    Beside bars on the terminal, all but warnings and errors goes to the log alone, also what
    libraries write past Python.

    A lock beside the log keeps a job from running beside itself: one whose Snakemake was killed
    goes on, and the same job of the next run waits for it.

    Raises:
        SystemExit: with status 1 after any error. The terminal and the log get one line that
            starts with ``error:``; the traceback of an unexpected error goes to the log alone.
    """
    global _name
    path = Path(log_path)
    before = time.process_time()
    with _locked(path) as log, _terminal(path, log) as terminal:
        _name = job_name(path)
        sys.stdout = sys.stderr = _Tee(terminal, log)
        try:
            yield
        except InputError as error:
            print(f"error: {_one_line(error)}")
            raise SystemExit(1) from None
        except MemoryError as error:
            told = f" ({_one_line(error)})" if str(error) else ""
            print(
                f"error: not enough memory{told}; fewer or smaller faces take less (config: faces)"
            )
            raise SystemExit(1) from None
        except KeyboardInterrupt:
            print("stopped by Ctrl-C")
            # At once: Python's own end would wait for worker processes that may wait for it.
            os._exit(130)
        except Exception as error:
            if told := _what_helps(error):
                print(f"error: {told}")
            else:
                print(traceback.format_exc(), file=log)
                print(f"error: {type(error).__name__}: {_one_line(error)} (traceback in {path})")
            raise SystemExit(1) from None
        finally:
            sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__
            with suppress(OSError):
                print(_costs(before), file=log)


@contextmanager
def _terminal(path: Path, log: TextIO) -> Iterator[TextIO | _Tee]:
    """What a job writes to beside its log: the terminal, or of it what is beside bars."""
    # Set by common/display.py. A job of a cluster, which has a terminal of its own, inherits it.
    if os.environ.get("FACESORT_DISPLAY") != os.environ.get("SLURM_JOB_ID", "here"):
        yield sys.stderr
        return
    sys.stderr.flush()
    with os.fdopen(os.dup(2), "w", errors="backslashreplace") as terminal:
        os.dup2(log.fileno(), 2)
        try:
            yield _Alarms(terminal, path)
        finally:
            os.dup2(terminal.fileno(), 2)


def _costs(before: float) -> str:
    """What this process and those that it started have cost, which ``pages.costs`` reads.

    Args:
        before: CPU seconds until the job's own work began: Python's start and imports.
    """
    own, others = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    cpu = time.process_time() + others.ru_utime + others.ru_stime
    megabytes = max(own.ru_maxrss, others.ru_maxrss) / 1024
    return (
        f"took {_age():.2f} s, {cpu:.2f} s of CPU, {before:.2f} of them before its work began, "
        f"and at most {megabytes:.0f} MB"
    )


def _age() -> float:
    """Seconds since this process began."""
    try:
        started = Path("/proc/self/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[19]
    except OSError:
        return time.process_time()  # not Linux
    return time.clock_gettime(time.CLOCK_BOOTTIME) - int(started) / os.sysconf("SC_CLK_TCK")


@contextmanager
def _locked(log_path: Path) -> Iterator[TextIO]:
    """Open the log for writing, once no double of this job runs any more."""
    # A file of its own, since Snakemake deletes the log before a job.
    lock_path = log_path.with_name(f".{log_path.name}.lock")
    try:
        log_path.parent.mkdir(parents=True, exist_ok=True)
        lock = lock_path.open("a+", encoding="utf-8")
    except OSError as error:
        print(f"error: {_what_helps(error) or _one_line(error)}", file=sys.stderr)
        raise SystemExit(1) from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            print(
                f"{log_path}: this job still runs from an earlier run, as process {lock.read()}; "
                "waiting for its end",
                file=sys.stderr,
                flush=True,
            )
            fcntl.flock(lock, fcntl.LOCK_EX)
        except OSError:
            pass  # a file system without locks
        with suppress(OSError):  # a full disk
            lock.truncate(0)
            lock.write(str(os.getpid()))
            lock.flush()
        # Names of files may hold bytes that are no UTF-8.
        log = log_path.open("w", encoding="utf-8", errors="backslashreplace")
        try:
            yield log
        finally:
            with suppress(OSError):
                log.close()


def _what_helps(error: Exception) -> str:
    """An error of the machine, not of this workflow, with what helps; empty for any other."""
    if _disk_is_full(error):
        return f"no space left on the disk ({_one_line(error)}); free some and rerun"
    match getattr(error, "errno", None):
        case errno.EROFS:
            return f"{_one_line(error)}; make it writable and rerun"
        case errno.EACCES | errno.EPERM:
            return f"{_one_line(error)}; give this user the right to it and rerun"
    return used_up(error)


def unreadable(path: str | Path, what: str, error: Exception) -> Exception:
    """The error to raise for a file that an earlier rule wrote and that cannot be read.

    To make it anew helps where the file is damaged, and harms where the machine is at fault.

    Args:
        what: that the file should be.
    """
    if isinstance(error, MemoryError):
        return error
    if isinstance(error, OSError) and error.errno:
        return InputError(f"{path}: {_what_helps(error) or error.strerror}")
    return InputError(f"{path}: not {what} ({error}); delete it and rerun")


def _disk_is_full(error: Exception) -> bool:
    # NumPy, safetensors and SQLite tell it in words alone.
    words = ["problem writing element", "requested and", "No space left", "Disk quota exceeded"]
    words += ["disk is full"]
    number = getattr(error, "errno", None)
    return number in (errno.ENOSPC, errno.EDQUOT) or any(each in str(error) for each in words)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())


class Progress:
    """A line every few seconds: the job, how much is done, rate, time left, the caller's figures.

    Args:
        total: how much there is to do; in each round, if there are several.
        label: what is done.
        unit: what is counted.
        rounds: how often all of it is gone through, such as epochs.
        start: how much of all rounds was done before.
    """

    def __init__(
        self,
        total: int,
        label: str,
        unit: str = "faces",
        every: float = 5.0,
        start: int = 0,
        rounds: int = 1,
    ) -> None:
        self.total, self.label, self.unit, self.every = total, label, unit, every
        self.done = self.start = start
        self.rounds, self.told = rounds, -1
        self.began = self.last = time.monotonic()
        self.figures: dict[str, object] = {}

    def update(self, n: int, **figures: object) -> None:
        self.done += n
        self.figures = figures
        if time.monotonic() - self.last >= self.every:
            self._print()

    def close(self) -> None:
        """Tell the end, unless the last line has told it."""
        if self.told != self.done:
            self._print()

    def _print(self) -> None:
        self.last, self.told = time.monotonic(), self.done
        rate = (self.done - self.start) / max(self.last - self.began, 1e-9)
        left = max(self.total * self.rounds - self.done, 0) / rate if rate else 0.0
        gone = min(max(self.done - 1, 0) // max(self.total, 1), self.rounds - 1)
        label = self.label
        if self.rounds > 1:
            label += f", epoch {gone + 1} of {self.rounds}"
        more = "".join(f", {name} {_short(value)}" for name, value in self.figures.items())
        print(
            f"{_name + ': ' if _name else ''}{label}: {self.done - gone * self.total:,} of "
            f"{self.total:,} {self.unit}, {_rate(rate)} a second, "
            f"{int(left) // 60}:{int(left) % 60:02d} left{more}"
        )


def _rate(rate: float) -> str:
    return f"{rate:,.0f}" if rate >= 100 else f"{rate:.3g}"


def _short(value: object) -> str:
    # A figure on a GPU is only now waited for.
    value = value.item() if hasattr(value, "item") else value
    return f"{value:.4g}" if isinstance(value, float) else str(value)
