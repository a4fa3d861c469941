"""Lines that a person reads: short ones, counts in words, and the name of the job that says them.

Imported by the Snakefile, which every job parses: nothing slow is imported here.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

LONGEST: Final = 400


def shortened(line: str, where: object) -> str:
    """A line that fits some rows of a terminal, and where the whole of it stands if it does not."""
    if len(line) <= LONGEST:
        return line
    return f"{line[:LONGEST].rstrip()} ... (whole: {where})"


def counted(counts: Iterable[tuple[object, int]]) -> str:
    """Like ``1,016 anger, 3 sad``."""
    return ", ".join(f"{count:,} {what}" for what, count in counts)


def job_name(log: str | Path) -> str:
    """Rule and cell of a job, by its log: ``train rgb/stacked/seed0``."""
    parts = Path(log).with_suffix("").parts
    if "logs" not in parts:
        return ""
    rule, *cell = parts[len(parts) - parts[::-1].index("logs") :]
    return f"{rule} {'/'.join(cell)}".rstrip()
