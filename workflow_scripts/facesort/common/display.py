"""What a run shows while it works: bars on a terminal, elsewhere a line for each finished job.

Warnings, errors and whatever else calls for a person are shown in full; Snakemake's own log in
``.snakemake/log`` stays complete. Only the standard library is used, so that the display is the
same wherever Snakemake runs.
"""

import atexit
import io
import logging
import os
import re
import select
import sys
import threading
import time
from collections import Counter, defaultdict
from contextlib import suppress
from copy import copy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from facesort.common.lines import LONGEST, job_name, shortened

# What Snakemake tells of every job and every turn of its scheduler: for its log alone.
_ROUTINE_EVENTS = {"job_started", "group_info", "shellcmd", "progress", "resources_info"}
_ROUTINE = re.compile(
    r"Select jobs to execute|Removing temporary output|Job rate limit reached|Activating conda"
    r"|Job \d+ has been submitted|Submitted array job|Touching output file|Write-protecting output"
)
_MOST_RUNNING = 12
_GREEN, _DIM, _PLAIN = "\033[32m", "\033[2m", "\033[0m"
_END = b"\0end of display\n"

_shown: "Display | None" = None


def start(workflow: Any) -> None:
    """Take the terminal over from Snakemake, unless the user asked for output of another kind.

    Meant for ``onstart``, which Snakemake calls for real runs alone: not for dry runs, and not in
    the Snakemake that it starts for a job.
    """
    global _shown
    asked = workflow.output_settings
    if workflow.touch or asked.quiet or asked.verbose or asked.printshellcmds:
        return
    if asked.debug_dag or asked.show_failed_logs:
        return
    logger = logging.getLogger("snakemake.logging")
    # With --logger there may be none.
    own = [each for each in logger.handlers if each.name == "DefaultStreamHandler"]
    if not own:
        return
    _, counts = workflow.dag.stats()
    stages = {rule.name: Path(rule.snakefile).stem for rule in workflow.rules}
    stages = {rule: stage for rule, stage in stages.items() if stage != "Snakefile"}
    counts.pop("total", None)
    # Jobs then send the terminal what calls for a person, and all the rest to their logs.
    os.environ["FACESORT_DISPLAY"] = os.environ.get("SLURM_JOB_ID", "here")
    _shown = Display(own[0], Board(counts, stages))
    logger.removeHandler(own[0])
    logger.addHandler(_shown)


def mend_output() -> None:
    """Let Snakemake's log take names that are no UTF-8, and cut its reasons short on the terminal.

    Those of dry runs are meant, which are all that is said of a job, and may be kilobytes of paths.
    """
    logger = logging.getLogger("snakemake.logging")
    for handler in logger.handlers:
        if handler.name == "DefaultStreamHandler" and not logger.isEnabledFor(logging.DEBUG):
            handler.setFormatter(ShortReasons(handler.formatter))
        stream = getattr(handler, "stream", None)
        if isinstance(stream, io.TextIOWrapper):
            with suppress(OSError):  # a full disk, which is named later
                stream.reconfigure(errors="backslashreplace")


def stop() -> None:
    """End the bars, for what is said at the end of a run."""
    if _shown is not None:
        _shown.stop()


class ShortReasons(logging.Formatter):
    """Snakemake's own formatter, but for long reasons of jobs."""

    def __init__(self, own: Any) -> None:
        self.own = own

    def format(self, record: logging.LogRecord) -> str:
        reason = str(getattr(record, "reason", ""))
        if len(reason) > LONGEST:
            record = copy(record)
            record.reason = shortened(reason, "--verbose")
        return str(self.own.format(record))


def just_told() -> bool:
    """Whether a run's one error is the last that it told, so that it need not be told again."""
    return _shown is not None and _shown.failures == 1 and not _shown.finished_since


@dataclass
class Job:
    """A job that runs, or on a cluster waits for its turn."""

    rule: str
    cell: str
    logs: list[str]
    local: bool
    began: float

    @property
    def name(self) -> str:
        return f"{self.rule} {self.cell}".rstrip()


@dataclass
class Board:
    """Where a run stands: jobs to do and done by rule, and what runs."""

    to_do: dict[str, int]
    stages: dict[str, str]
    began: float = field(default_factory=time.monotonic)
    done: Counter[str] = field(default_factory=Counter)
    seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    running: dict[int, Job] = field(default_factory=dict)

    def bars(self) -> list[tuple[str, int, int]]:
        """Each stage that has jobs, with those done and those to do."""
        done: Counter[str] = Counter()
        to_do: Counter[str] = Counter()
        for rule, stage in self.stages.items():
            done[stage] += self.done[rule]
            to_do[stage] += self.to_do.get(rule, 0)
        return [(stage, done[stage], number) for stage, number in to_do.items() if number]

    def left(self, now: float) -> float | None:
        """Seconds left, if jobs go on to take what those of their rule took, as many at once.

        A rule without a finished job counts as the mean of all; None before three have finished.
        """
        finished = sum(self.done.values())
        if finished < 3 or now <= self.began:
            return None
        mean = sum(self.seconds.values()) / finished
        each = {
            rule: self.seconds[rule] / self.done[rule] if self.done[rule] else mean
            for rule in self.to_do
        }
        spent = [(now - job.began, each.get(job.rule, mean)) for job in self.running.values()]
        work = sum((number - self.done[rule]) * each[rule] for rule, number in self.to_do.items())
        work -= sum(min(pair) for pair in spent)
        at_once = (sum(self.seconds.values()) + sum(past for past, _ in spent)) / (now - self.began)
        return max(work, 0.0) / at_once if at_once else None

    def count(self) -> str:
        """Like ``[ 12/129] 1:23``: jobs done, jobs to do, time since the start."""
        total = sum(self.to_do.values())
        done = f"{sum(self.done.values()):>{len(str(total))}}"
        return f"[{done}/{total}] {clock(time.monotonic() - self.began)}"


class Display(logging.Handler):
    """Takes the place of Snakemake's own handler for the terminal.

    Args:
        own: Snakemake's handler, which still writes what is not told in another way.
        board: what the run has to do.
    """

    def __init__(self, own: Any, board: Board) -> None:
        super().__init__(own.level)
        self.own, self.board = own, board
        self.failures = self.finished_since = 0
        self.filters = list(own.filters)
        self.changing = threading.Lock()
        self.screen: Screen | None = None
        if own.stream.isatty() and os.environ.get("TERM", "dumb") != "dumb":
            self.screen = Screen(self)

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._tell(record)
        except Exception:
            self.handleError(record)

    def _tell(self, record: Any) -> None:
        event = str(getattr(record, "event", None))
        if event == "job_info":
            job = Job(
                record.rule_name,
                cell(record.wildcards),
                list(record.log),
                record.local,
                time.monotonic(),
            )
            with self.changing:
                self.board.running[record.jobid] = job
        elif event == "job_finished":
            self._finished(record)
        elif event == "job_error":
            self._failed(record)
        elif event not in _ROUTINE_EVENTS and not (
            record.levelno < logging.WARNING and _ROUTINE.match(str(record.msg))
        ):
            self.own.emit(record)

    def _finished(self, record: Any) -> None:
        with self.changing:
            job = self.board.running.pop(record.job_id, None)
            if job is None:
                return
            seconds = time.monotonic() - job.began
            self.finished_since += 1
            self.board.done[job.rule] += 1
            self.board.seconds[job.rule] += seconds
        self._say(*([] if job.local else alarms(job.logs)))
        if self.screen is None:
            self._say(f"{self.board.count()} {job.name} ({lasted(seconds)})")

    def _failed(self, record: Any) -> None:
        with self.changing:
            job = self.board.running.pop(record.jobid, None)
            self.failures, self.finished_since = self.failures + 1, 0
        name, seconds = record.rule_name, ""
        if job is not None:
            name, seconds = job.name, f" ({lasted(time.monotonic() - job.began)})"
            # What a local job has to say, it has said itself.
            self._say(*([] if job.local else alarms(job.logs)))
        self._say(f"{self.board.count()} failed: {name}{seconds}", level=logging.ERROR)
        if record.rule_msg:
            self._say(f"    {record.rule_msg}", level=logging.ERROR)
        self._say(*(f"    log: {path}" for path in record.log), level=logging.ERROR)

    def _say(self, *lines: str, level: int = logging.INFO) -> None:
        for line in lines:
            if level >= logging.ERROR:
                self.own.emit(logging.LogRecord("", level, "", 0, line, None, None))
            else:
                self.own.stream.write(line + "\n")
                self.own.flush()

    def stop(self) -> None:
        """End the bars. What is written from now on stands below them."""
        if self.screen is not None:
            self.screen.stop()
            self.screen = None

    def close(self) -> None:
        self.stop()
        self.own.close()
        super().close()


class Screen:
    """The bars at the foot of a terminal, and above them all that the run's processes write.

    These write to a pipe in the terminal's place, so that nothing falls between the bars; one
    thread passes it on and draws. The cursor is never hidden: however a run ends, nothing has to
    be put right.
    """

    def __init__(self, display: Display, every: float = 0.5) -> None:
        self.display, self.every = display, every
        stream = display.own.stream
        self.colour = not display.own.nocolor and "NO_COLOR" not in os.environ
        self.encoding = stream.encoding or "ascii"
        self.drawn: list[str] = []
        self.due = 0.0
        self.ended = threading.Event()
        self.terminal = os.dup(stream.fileno())
        self.pipe, writing = os.pipe()
        self.kept = {fd: os.dup(fd) for fd in {stream.fileno(), 1, 2} if os.isatty(fd)}
        sys.stdout.flush()
        sys.stderr.flush()
        for fd in self.kept:
            os.dup2(writing, fd)
        os.close(writing)
        threading.Thread(target=self._work, daemon=True, name="display").start()
        atexit.register(self.stop)

    def stop(self) -> None:
        """Show what is still in the pipe, draw the bars once more, and give the terminal back."""
        if not self.kept:
            return
        with suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        # Jobs may outlive the run and hold the pipe, so its end is not waited for.
        if not self.ended.is_set():
            os.write(next(iter(self.kept)), _END)
            self.ended.wait(5)
        for fd, before in self.kept.items():
            os.dup2(before, fd)
            os.close(before)
        self.kept = {}

    def _work(self) -> None:
        rest = b""
        while True:
            wait = None if self.ended.is_set() else max(self.due - time.monotonic(), 0)
            if select.select([self.pipe], [], [], wait)[0]:
                new = os.read(self.pipe, 65536)
                if not new:
                    return
                # A line is shown when it is whole; after the end all at once, as it comes.
                text, end, after = (rest + new).partition(_END)
                cut = len(text) if end or self.ended.is_set() else text.rfind(b"\n") + 1
                above, rest = text[:cut], text[cut:]
                self._write(above + (b"\n" if end and above[-1:] not in (b"", b"\n") else b""), end)
                if end:
                    self.ended.set()
                    self._write(after)
            else:
                self._write(b"")

    def _write(self, above: bytes, end: bytes = b"") -> None:
        """Put text above the bars, and draw these anew."""
        if self.ended.is_set():
            text = above
        else:
            columns, rows = self._size()
            up = sum(max(1, -(-len(line) // columns)) for line in self.drawn)
            text = b"\r" + (f"\033[{up}A".encode() if up else b"") + b"\033[J" + above
            # Whatever is wrong with the bars, what the run says has to come through.
            self.drawn, self.due = [], time.monotonic() + self.every
            with suppress(Exception):
                lines = self._lines(columns - 1, rows - 1, bool(end))
                self.drawn = [re.sub(r"\033\[\d*m", "", line) for line in lines]
                # Without wrapping, a line of wide letters is cut at the edge.
                block = "\033[?7l" + "".join(line + "\n" for line in lines) + "\033[?7h"
                text += block.encode(self.encoding, "replace")
        with suppress(OSError):  # a terminal that is gone
            while text:
                text = text[os.write(self.terminal, text) :]

    def _size(self) -> tuple[int, int]:
        with suppress(OSError):
            size = os.get_terminal_size(self.terminal)
            if size.columns and size.lines:
                return size.columns, size.lines
        return 80, 24

    def _lines(self, width: int, height: int, last: bool) -> list[str]:
        board, now = self.display.board, time.monotonic()
        with self.display.changing:
            bars, left, count = board.bars(), board.left(now), board.count()
            running = [] if last else list(board.running.values())
        lines = [self._bar(bar, max((len(name) for name, *_ in bars)), width) for bar in bars]
        ahead = f", about {clock(left)} left" if left is not None and not last else ""
        lines.append(f"{count} elapsed{ahead}"[:width])
        room = max(min(height - len(lines) - 1, _MOST_RUNNING), 0)
        for job in running[:room]:
            head = f"  {job.name} {clock(now - job.began)}  "[:width]
            lines.append(head + self._in(_DIM, last_line(job.logs)[: width - len(head)]))
        if len(running) > room:
            lines.append(f"  and {len(running) - room} more"[:width])
        return lines[-height:] if height > 0 else []

    def _bar(self, bar: tuple[str, int, int], names: int, width: int) -> str:
        name, done, to_do = bar
        count = f"{done}/{to_do}".rjust(9)
        length = max(min(width - names - 2 - len(count), 50), 0)
        full = length * done // to_do
        try:
            "━─".encode(self.encoding)
            signs = "━─"
        except UnicodeEncodeError:
            signs = "#-"
        drawn = self._in(_GREEN, signs[0] * full) + self._in(_DIM, signs[1] * (length - full))
        return f"{name:<{names}} {drawn} {count}" if length else f"{name} {count}"[:width]

    def _in(self, colour: str, text: str) -> str:
        return f"{colour}{text}{_PLAIN}" if self.colour and text else text


def cell(wildcards: dict[str, str]) -> str:
    """A job's wildcards as its paths have them: ``rgb/stacked/seed0``."""
    numbered = ("seed", "shard")
    return "/".join(f"{key if key in numbered else ''}{wildcards[key]}" for key in wildcards)


def clock(seconds: float) -> str:
    """Like ``1:23`` or ``2:01:23``."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def lasted(seconds: float) -> str:
    """Like ``25 s`` or ``2:01:23``."""
    return f"{seconds:.0f} s" if seconds < 100 else clock(seconds)


def alarms(logs: list[str]) -> list[str]:
    """The lines of logs that begin with ``error:`` or ``warning:``."""
    found = []
    for path in logs:
        with suppress(OSError):
            lines = Path(path).read_text(encoding="utf-8", errors="replace").splitlines()
            told = [line for line in lines if line.startswith(("error:", "warning:"))]
            found += [shortened(line, path) for line in told]
    return found


def last_line(logs: list[str]) -> str:
    """The last line of a job's log so far, as far as it can be printed.

    Without the job's name, which is known, and the line of its costs, which is for a table.
    """
    with suppress(OSError, IndexError), Path(logs[0]).open("rb") as file:
        file.seek(max(file.seek(0, os.SEEK_END) - 2000, 0))
        lines = file.read().decode(errors="replace").split("\n")[:-1]
        lines = [line for line in lines if line.strip() and not line.startswith("took ")]
        line = lines[-1].strip().removeprefix(f"{job_name(logs[0])}: ")
        return "".join(sign for sign in line if sign.isprintable())
    return ""
