"""Rule undo_sidecars of stage sidecars.

Take out of all sidecars what was written.
"""

from collections import Counter
from pathlib import Path

from snakemake.iocontainers import Snakemake

from facesort.common.job import job
from facesort.sidecars.ledger import Ledger
from facesort.sidecars.writing import undo

snakemake: Snakemake

with job(snakemake.log[0]):
    counts: Counter[str] = Counter()
    with Ledger(Path(snakemake.params.ledger)) as ledger:
        for _, sidecar, what, _, reason in undo(ledger):
            counts[what] += 1
            if reason:
                print(f"left alone: {sidecar}: {reason}")
    print(
        f"{counts.total():,} sidecars: " + ", ".join(f"{n:,} {what}" for what, n in counts.items())
    )
