"""Rule set_thresholds of stage archive.

Set from which probability on each tag is given, and tell how often it is then right.
"""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from snakemake.iocontainers import Snakemake

from facesort.archive.photographed import on_photographs
from facesort.archive.review import matched, read_reviewed
from facesort.archive.tables import KEY, LOOKS
from facesort.archive.tags import built_in
from facesort.archive.thresholds import by_labels, by_looks, unknown, words
from facesort.common.arrays import open_array, read_index, write_whole
from facesort.common.job import job

snakemake: Snakemake

with job(snakemake.log[0]):
    given, output = snakemake.input, snakemake.output
    table = unknown(built_in()) if snakemake.params.model else on_photographs(built_in())
    if given.probabilities:
        answers = open_array(given.probabilities)
        split = read_index(given.split, rows=len(answers))
        index = read_index(given.index, rows=len(answers))
        kept = (split["part"] == "naming").to_numpy()
        print(f"{kept.sum():,} labelled faces that the model has not learnt from set its looks")
        table = by_labels(table, np.array(answers[kept]), index.loc[kept, "label"].to_numpy(str))
        if table.loc[list(LOOKS.values()), "threshold"].isna().all():
            print(
                "warning: on these faces no look of the model is right in 90 of 100, so none is "
                "given; more faces may help (config: split.naming)"
            )
    if given.reviewed:
        reviewed = read_reviewed(given.reviewed)
        # Of a type of its own: a file without a row has none.
        photos = pc.field("photo").isin(pa.array(reviewed["photo"].unique(), pa.string()))
        parts = [
            pq.read_table(found, filters=photos)
            .drop_columns(["seen"])
            .to_pandas()
            .merge(pq.read_table(told, filters=photos).to_pandas(), "left", list(KEY))
            for found, told in zip(given.found, given.answers, strict=True)
        ]
        faces = pd.concat(parts, ignore_index=True)
        rows = matched(reviewed, faces)
        lost = int((rows < 0).sum())
        print(f"{len(reviewed):,} answers of people; {lost:,} are of faces that are gone")
        here = rows >= 0
        here[here] = faces["state"].to_numpy()[rows[here]] == "answered"
        table = by_looks(table, faces.iloc[rows[here]], reviewed[here].reset_index(drop=True))
    with write_whole(output.table) as part:
        table.to_csv(part, lineterminator="\n")
    with write_whole(output.words) as part:
        part.write_text(words(table), encoding="utf-8")
