"""Rule plot_reconstructions of stage pages.

Fixed faces above what the autoencoder made of them as it learnt.
"""

from pathlib import Path

from snakemake.iocontainers import Snakemake

from facesort.common.arrays import open_array
from facesort.common.drawing import save
from facesort.common.job import job
from facesort.common.reading import read_json
from facesort.pages.figures import plot_reconstructions

snakemake: Snakemake

with job(snakemake.log[0]):
    model, variant, seed = (snakemake.wildcards[key] for key in ("model", "variant", "seed"))
    folder = Path(snakemake.input.model)
    shown = open_array(folder / "reconstructions.npy")
    epochs = read_json(folder / "model.json")["reconstructed_epochs"]
    labels = ["original", *(f"epoch {epoch}" for epoch in epochs)]
    figure = plot_reconstructions(shown, labels, f"{model}, {variant}, seed {seed}")
    save(figure, snakemake.output.figure)
