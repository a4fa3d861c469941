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
    said = [read_reviewed(given.reviewed) if given.reviewed else NOBODY]
    said += [pd.read_parquet(path) for path in given.said]
    # The latest answer comes last, and counts.
    reviewed = pd.concat([each for each in said if len(each)] or said[:1], ignore_index=True)
    reviewed = reviewed.sort_values("at", kind="stable")
    print(f"{sum(map(len, said[1:])):,} tags were changed by people in sidecars")
    counts = join(
        list(given.read),
        list(given.found),
        list(given.answers),
        list(given.named),
        output.faces,
        output.photos,
        output.faces_csv,
        output.photos_csv,
        snakemake.params.emotions,
        pd.read_csv(given.thresholds, index_col="tag"),
        reviewed,
    )
    print(", ".join(f"{count:,} {what}" for what, count in counts.items()))
    reasons = join_refused(given.listing, list(given.refused), output.refused)
    print(f"{reasons.total():,} files refused")
    for reason, count in reasons.most_common():
        print(f"  {count:,} {reason}")
