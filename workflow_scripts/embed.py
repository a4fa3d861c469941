"""Rule embed of stage train.

Encode the training pool and the labelled faces, if any.
"""

from snakemake.iocontainers import Snakemake

from facesort.common.arrays import open_array
from facesort.common.job import job
from facesort.train.engine import apply_in_batches
from facesort.train.saving import load_for_use

snakemake: Snakemake

with job(snakemake.log[0]):
    training = snakemake.params.training
    model, _, device = load_for_use(snakemake.input.model, training, snakemake.threads)
    for faces_path, out_path in (
        (snakemake.input.pool, snakemake.output.pool),
        (snakemake.input.labelled, snakemake.output.labelled),
    ):
        if faces_path:
            faces = open_array(faces_path)
            apply_in_batches(model.embed, faces, out_path, device, training["batch_size"])
