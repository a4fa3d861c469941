"""Rule reconstruct: a few fixed faces beside what the autoencoder makes of them."""

import numpy as np
import torch
from snakemake.iocontainers import Snakemake

from facesort.arrays import create_array, open_array
from facesort.devices import choose_device
from facesort.job import job
from facesort.saving import load_model
from facesort.training import to_input

snakemake: Snakemake

with job(snakemake.log[0]):
    device = choose_device(snakemake.params.training["precision"], snakemake.threads)
    model, about = load_model(snakemake.input.model)
    model.to(device.device, memory_format=torch.channels_last)
    labelled = open_array(snakemake.input.labelled)
    count = min(snakemake.params.examples, len(labelled))
    # Evenly spread rows: the index is sorted by folder, so every emotion is among them.
    originals = labelled[np.linspace(0, len(labelled) - 1, count).astype(int)]
    with torch.no_grad(), device.autocast():
        pixels = model.activate(model.reconstruct(to_input(originals, device.device)).float())
    made = (pixels.float().cpu().permute(0, 2, 3, 1).numpy() * 255).round().astype(np.uint8)
    pairs = np.stack([originals, made], axis=1)
    with create_array(snakemake.output.reconstructions, pairs.shape, "uint8") as out:
        out[:] = pairs
