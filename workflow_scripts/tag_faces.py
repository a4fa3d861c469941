"""Rule tag_faces of stage archive.

Turn probabilities into tags, and join the tables of all jobs.
"""

import pandas as pd
from snakemake.iocontainers import Snakemake

from facesort.archive.joining import join, join_refused
from facesort.archive.review import NOBODY, read_reviewed
from facesort.common.job import job

snakemake: Snakemake

with job(snakemake.log[0]):
    given, output = snakemake.input, snakemake.output
    counts = join(
        list(given.read),
        list(given.found),
        list(given.answers),
        output.faces,
        output.photos,
        output.faces_csv,
        output.photos_csv,
        snakemake.params.emotions,
        pd.read_csv(given.thresholds, index_col="tag"),
        read_reviewed(given.reviewed) if given.reviewed else NOBODY,
    )
    print(", ".join(f"{count:,} {what}" for what, count in counts.items()))
    reasons = join_refused(given.listing, list(given.refused), output.refused)
    print(f"{reasons.total():,} files refused")
    for reason, count in reasons.most_common():
        print(f"  {count:,} {reason}")
