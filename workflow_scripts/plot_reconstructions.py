"""Rule plot_reconstructions: fixed faces above what the autoencoder made of them as it learnt."""

from pathlib import Path

from snakemake.iocontainers import Snakemake

from facesort.arrays import open_array
from facesort.figures import plot_reconstructions, save
from facesort.job import job
from facesort.reading import read_json

snakemake: Snakemake

with job(snakemake.log[0]):
    model, variant, seed = (snakemake.wildcards[key] for key in ("model", "variant", "seed"))
    folder = Path(snakemake.input.model)
    shown = open_array(folder / "reconstructions.npy")
    epochs = read_json(folder / "model.json")["reconstructed_epochs"]
    labels = ["original", *(f"epoch {epoch}" for epoch in epochs)]
    figure = plot_reconstructions(shown, labels, f"{model}, {variant}, seed {seed}")
    save(figure, snakemake.output.figure)
