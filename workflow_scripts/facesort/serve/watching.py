"""A folder watched: what arrives in it is tagged into the archive's tables, by the archive's rules.

The folder is looked at every few seconds, which also works where the system tells of no change
(network disks). Once it has stayed the same from one look to the next, Snakemake runs the target
``archive``, which analyses what is new alone; so a file that still grows waits. The list of photos
to leave out (``archive.exclude``) is looked at too. All that is known is in the archive's journals:
a watch that was killed goes on where it was.
"""

import ctypes
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final

from facesort.common.data_record import RECORD
from facesort.common.digests import tree_digest
from facesort.common.job import InputError

PROJECT: Final = Path(__file__).resolve().parents[3]
RESULTS: Final = Path("results/archive")
# After a run that failed the next waits so long, then twice as long, up to so long: seconds.
PAUSE: Final = 30.0
LONGEST: Final = 1800.0
# Looking takes no more than this share of the time.
SHARE: Final = 0.1


def watch(
    folder: Path, every: float, cores: str, more: Sequence[str] = (), once: bool = False
) -> None:
    """Tag what is in a folder and what arrives, until stopped.

    Args:
        every: seconds between two looks.
        cores: as Snakemake's option.
        more: further arguments of Snakemake.
        once: whether to end once nothing is left to tag.

    Raises:
        InputError: if it is no folder, or another watch is at work on it or here; with ``once``
            also if the run failed.
    """
    with _alone(folder):
        print(f"{folder}: watched; tags go to {RESULTS}", flush=True)
        last, tagged, pause = None, None, PAUSE
        while True:
            began = time.monotonic()
            tree_digest.cache_clear()
            now = (tree_digest(str(folder)), _exclusions())
            if now == last and now != tagged and _any_file(folder):
                if status := _run(folder, cores, more):
                    if once:
                        raise InputError(f"{folder}: a run ended with status {status}; see above")
                    print(f"a run ended with status {status}; next in {pause:.0f} seconds")
                    time.sleep(pause)
                    pause = min(2 * pause, LONGEST)
                    continue
                # The first run has told which list there is.
                now = (now[0], now[1] or _exclusions())
                tagged, pause = now, PAUSE
            last = now
            if once and (now == tagged or not _any_file(folder)):
                return
            time.sleep(max(every, (time.monotonic() - began) / SHARE if now == tagged else 0))


def _exclusions() -> tuple[int, int] | None:
    """Size and time of the list of photos to leave out, if the last run was given one."""
    try:
        path = json.loads((RESULTS.parent / RECORD).read_text(encoding="utf-8"))["exclude"]
        found = Path(path).stat()
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found.st_size, found.st_mtime_ns


def _any_file(folder: Path) -> bool:
    return any(files for _, _, files in os.walk(folder))


def _run(folder: Path, cores: str, more: Sequence[str]) -> int:
    """Run the target ``archive``; Snakemake's exit status."""
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(PROJECT / "Snakefile")]
    # What locks is held by this process; a lock of Snakemake's is what a killed one has left.
    command += ["--cores", cores, "--nolock", *more]
    # Merged with what a file of --configfile says of the archive; JSON is YAML too.
    command += ["--config", f"archive={{photos: {json.dumps(str(folder.resolve()))}}}"]
    return subprocess.run(
        [*command, "--", "archive"], stdin=subprocess.DEVNULL, preexec_fn=_end_with_parent
    ).returncode


def _end_with_parent() -> None:
    """Of a process that was forked: end it when its parent is killed. Linux alone knows it."""
    set_death_signal = 1
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(set_death_signal, signal.SIGTERM)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the folder and the results; nothing is written to either."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        for path in (folder, RESULTS):
            try:
                descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
            except OSError as error:
                raise InputError(f"{path}: no folder to watch ({error.strerror})") from None
            stack.callback(os.close, descriptor)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise InputError(
                    f"{path}: another watch is at work on it; end that first"
                ) from None
            except OSError:
                pass  # a disk without locks
        yield
