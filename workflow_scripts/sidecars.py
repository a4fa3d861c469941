"""Rule sidecars of stage sidecars.

Write tags and faces into sidecars, or tell what would be written.
"""

import csv
from collections import Counter
from pathlib import Path

from snakemake.iocontainers import Snakemake

from facesort.common.arrays import write_whole
from facesort.common.job import job
from facesort.sidecars.ledger import Ledger
from facesort.sidecars.writing import COLUMNS, Writer, closing_words, read_photos

snakemake: Snakemake

with job(snakemake.log[0]):
    given, params = snakemake.input, snakemake.params
    counts: Counter[str] = Counter()
    with (
        Ledger(Path(params.ledger)) as ledger,
        write_whole(snakemake.output.table) as part,
        part.open("w", encoding="utf-8", newline="") as file,
    ):
        table = csv.writer(file, lineterminator="\n")
        table.writerow(COLUMNS)
        writer = Writer(params.folder, params.to, params.flat, params.write, ledger)
        for row in writer.run(read_photos(given.photos, given.listing), given.faces):
            table.writerow(row)
            counts[row[2]] += 1
    for line in closing_words(counts, params.write):
        print(line)
