"""Rule sidecars of stage sidecars.

Write tags and faces into sidecars, or tell what would be written.
"""

from pathlib import Path

from snakemake.iocontainers import Snakemake

from facesort.common.job import job
from facesort.sidecars.ledger import Ledger
from facesort.sidecars.writing import Writer, closing_words, read_photos, write_table

snakemake: Snakemake

with job(snakemake.log[0]), Ledger(Path(snakemake.params.ledger)) as ledger:
    given, params = snakemake.input, snakemake.params
    writer = Writer(params.folder, params.to, params.flat, params.write, ledger)
    rows = writer.run(read_photos(given.photos, given.listing), given.faces)
    counts = write_table(rows, snakemake.output.table)
    print("\n".join(closing_words(counts, params.write)))
