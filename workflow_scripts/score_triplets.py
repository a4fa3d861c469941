"""Rule score_triplets of stage score.

Whether an embedding's distances agree with people, on held-out rows.
"""

import json
from pathlib import Path

import numpy as np
import pandas as pd
from snakemake.iocontainers import Snakemake

from facesort.common.arrays import open_array, read_index, write_index
from facesort.common.job import InputError, job
from facesort.score.triplet_accuracy import agree_with_people, triplet_score

snakemake: Snakemake

with job(snakemake.log[0]):
    triplets = read_index(snakemake.input.triplets).query("part == 'held_out'")
    embeddings = open_array(snakemake.input.embeddings)
    if triplets[["first", "second", "odd"]].to_numpy().max() >= len(embeddings):
        raise InputError(
            f"{snakemake.input.triplets}: rows beyond the {len(embeddings)} faces of "
            f"{snakemake.input.embeddings}; delete both and rerun"
        )
    right = agree_with_people(embeddings, triplets)
    write_index(
        pd.DataFrame({"row": triplets["row"].to_numpy(), "right": right}),
        snakemake.output.answers,
    )
    metrics = triplet_score(right[np.newaxis], triplets)
    text = json.dumps(metrics, indent=2) + "\n"
    Path(snakemake.output.metrics).write_text(text, encoding="utf-8")
    print(f"triplet accuracy {metrics['triplet_accuracy']:.3f} of {len(right):,} comparisons")
