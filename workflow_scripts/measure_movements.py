"""Rule measure_movements of stage faces.

What the faces of a set do: strengths of movements, as they are and against the set's own spread.
"""

import pandas as pd
from snakemake.iocontainers import Snakemake

from facesort.common.arrays import create_array, open_array, read_index, write_index
from facesort.common.job import Progress, job
from facesort.faces.facs import PRESENT
from facesort.faces.movements import movements
from facesort.faces.spread import standardised

snakemake: Snakemake

CHUNK = 1024

with job(snakemake.log[0]):
    landmarks = open_array(snakemake.input.landmarks)
    presence = read_index(snakemake.input.presence, len(landmarks))["presence"].to_numpy()
    progress = Progress(len(landmarks), "movements")
    parts = []
    for start in range(0, len(landmarks), CHUNK):
        parts.append(movements(landmarks[start : start + CHUNK], snakemake.threads))
        progress.update(len(parts[-1]))
    progress.close()
    strengths = pd.concat(parts, ignore_index=True)
    write_index(strengths, snakemake.output.strengths)
    with create_array(snakemake.output.movements, strengths.shape, "float32") as out:
        out[:] = standardised(strengths, presence)
    guessed = int((presence <= PRESENT).sum())
    print(
        f"{strengths.shape[1]} movements of {len(strengths):,} faces; medians and spreads without "
        f"the {guessed:,} whose landmarks are a guess"
    )
