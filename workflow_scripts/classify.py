"""Rule classify of stage train.

A classifier's probabilities of the eight emotions for the labelled faces. One that had no face to
learn from has 0, so it is never answered.
"""

import torch
from snakemake.iocontainers import Snakemake
from torch import Tensor

from facesort.common.arrays import open_array
from facesort.common.emotions import EMOTIONS
from facesort.common.job import job
from facesort.train.engine import apply_in_batches
from facesort.train.saving import load_for_use

snakemake: Snakemake


def probabilities(x: Tensor) -> Tensor:
    """Float (B, 8) for faces (B, C, H, W)."""
    logits = model.classify(x).float()
    given = torch.zeros_like(logits)
    given[:, known] = logits[:, known].softmax(1)
    return given


def of_both_sides(x: Tensor) -> Tensor:
    """The mean for a face and its mirror image."""
    return (probabilities(x) + probabilities(x.flip(3))) / 2


with job(snakemake.log[0]):
    training = snakemake.params.training
    model, about, device = load_for_use(snakemake.input.model, training, snakemake.threads)
    known = [EMOTIONS.index(emotion) for emotion in about["emotions"]]
    apply_in_batches(
        of_both_sides if snakemake.params.mirror else probabilities,
        open_array(snakemake.input.labelled),
        snakemake.output.probabilities,
        device,
        training["batch_size"],
    )
