"""Rule browse_page of stage archive.

The page on which an archive's faces are found and judged.
"""

from pathlib import Path

import pandas as pd
from snakemake.iocontainers import Snakemake

from facesort.archive.browse import browse_page
from facesort.archive.review import read_answers
from facesort.archive.thresholds import LOOKED, SHARES
from facesort.common.job import job
from facesort.common.reading import read_table

snakemake: Snakemake

with job(snakemake.log[0]):
    given = snakemake.input
    thresholds = read_table(given.thresholds, "tag", "threshold", *SHARES, "told_by")
    thresholds = thresholds.set_index("tag")
    looked = thresholds.loc[thresholds["told_by"] == LOOKED, [*SHARES]].dropna()
    reviewed = read_answers(given.reviewed) if given.reviewed else None
    if snakemake.params.exclude and reviewed is not None:
        # The file is a person's, and stays; the page has no answers of photos that are left out.
        there = reviewed["photo"].isin(pd.read_parquet(given.photos, columns=["photo"])["photo"])
        print(f"{sum(~there):,} answers of reviewed.csv are of photos that are not there")
        reviewed = reviewed[there]
    page = browse_page(
        given.faces,
        given.photos,
        given.thumbnails,
        given.previews,
        snakemake.output.shards,
        thresholds["threshold"],
        Path(snakemake.params.folder).resolve().as_uri() + "/",
        reviewed,
        len(read_table(given.refused, "photo", "reason")),
        int(read_table(given.left_out, "photos")["photos"].sum()),
        looked.rename(columns={"right": "share", "faces": "looks"}),
    )
    Path(snakemake.output.page).write_text(page, encoding="utf-8")
