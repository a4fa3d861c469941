"""Rule undo_sidecars of stage sidecars.

Take out of all sidecars what was written.
"""

from pathlib import Path

from snakemake.iocontainers import Snakemake

from facesort.common.job import job
from facesort.sidecars.ledger import Ledger
from facesort.sidecars.writing import undo, write_table

snakemake: Snakemake

with job(snakemake.log[0]), Ledger(Path(snakemake.params.ledger)) as ledger:
    counts = write_table(undo(ledger), snakemake.output.table)
    words = ", ".join(f"{count:,} {what}" for what, count in counts.items())
    print(f"{counts.total():,} sidecars: {words or 'none was written'}")
    if counts["left alone"]:
        print(f"why some were left alone: the column reason of {snakemake.output.table}")
