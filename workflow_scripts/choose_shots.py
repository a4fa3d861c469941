"""Rule choose_shots of stage album.

Choose the best photo of each series, and of each folder head shots and photos that stand for it.
"""

import numpy as np
import pandas as pd
from snakemake.iocontainers import Snakemake

from facesort.album import bursts, likeness, summary
from facesort.album.faults import COLUMNS, counted
from facesort.archive.joining import CSV, TIME
from facesort.archive.tables import SHOT
from facesort.common.arrays import write_whole
from facesort.common.job import job

snakemake: Snakemake

with job(snakemake.log[0]):
    given, output, count = snakemake.input, snakemake.output, snakemake.params.summary
    photos = pd.read_parquet(given.photos, columns=["photo", *SHOT, "faces"])
    faces = counted(pd.read_parquet(given.faces, columns=list(COLUMNS)))
    first, second = bursts.near_in_time(photos)
    closely = np.isin(np.arange(len(photos)), np.concatenate([first, second]))
    colours, pixels = likeness.read(given.previews, photos["photo"], closely)
    at = np.cumsum(closely) - 1
    same = likeness.alike(pixels, at[first], at[second])
    labels = bursts.series(photos, first[same], second[same])
    ranks = bursts.ranked(photos, faces, labels)
    worse = ranks["photo"][ranks["rank"] > 1]
    tables = {
        output.bursts: ranks,
        output.headshots: summary.head_shots(faces, worse, count),
        output.album: summary.summaries(photos, faces, colours, worse, count),
    }
    for path, table in tables.items():
        with write_whole(path) as part:
            table.to_csv(
                part,
                index=False,
                float_format="%.3f",
                date_format=TIME,
                lineterminator="\n",
                encoding=CSV,
            )
    print(f"{ranks['series'].nunique():,} series of {len(ranks):,} photos")
    print(", ".join(f"{len(table):,} rows in {path}" for path, table in tables.items()))
