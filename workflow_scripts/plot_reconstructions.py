"""Rule plot_reconstructions: faces above what the autoencoder makes of them."""

from snakemake.script import snakemake

from facesort.arrays import open_array
from facesort.figures import figure_title, plot_reconstructions, save_figure
from facesort.job import job

with job(snakemake.log[0]):
    pairs = open_array(snakemake.input.reconstructions)
    figure = plot_reconstructions(pairs, figure_title(**snakemake.wildcards))
    save_figure(figure, snakemake.output.figure)
