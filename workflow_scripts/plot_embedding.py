"""Rule plot_embedding: t-SNE of the scored faces' embeddings, by group and by true emotion."""

from snakemake.script import snakemake

from facesort.arrays import open_array, read_index
from facesort.figures import figure_title, plot_embedding, save_figure
from facesort.job import job
from facesort.projection import tsne

with job(snakemake.log[0]):
    seed = snakemake.params.seed
    predictions = read_index(snakemake.input.predictions)
    if len(predictions) > snakemake.params.points:
        predictions = predictions.sample(snakemake.params.points, random_state=seed).sort_index()
    embeddings = open_array(snakemake.input.embeddings)[predictions["face"].to_numpy()]
    names = dict(zip(predictions["group"], predictions["predicted"], strict=True))
    figure = plot_embedding(
        tsne(embeddings, seed),
        predictions["group"].to_numpy(),
        names,
        predictions["label"].to_numpy(),
        figure_title(**snakemake.wildcards),
    )
    save_figure(figure, snakemake.output.figure)
