"""Rule analyse_photos of stage archive.

Find and read the faces of some buckets' photos; what the journals know is not analysed again.
"""

from pathlib import Path

from snakemake.iocontainers import Snakemake

from facesort.archive.analysis import Analysis, analyse_buckets
from facesort.archive.export import export
from facesort.archive.listing import buckets_of
from facesort.archive.model_crops import ModelCrops
from facesort.archive.model_views import view_of
from facesort.common.job import job

snakemake: Snakemake

with job(snakemake.log[0]):
    params, output = snakemake.params, snakemake.output
    buckets = buckets_of(int(snakemake.wildcards.job), params.jobs)
    model, landmarks = map(str, (snakemake.input.model, snakemake.input.landmarks))
    crops = ModelCrops(view_of(model), params.border, landmarks) if model else None
    analysis = Analysis(params.folder, params.settings, crops)
    with analyse_buckets(snakemake.input.listing, buckets, Path(params.state), analysis) as (
        files,
        analysed,
    ):
        counts = export(files, dict(output.items()), params.settings["min_face"])
    print(f"{analysed:,} photos analysed")
    print(", ".join(f"{count:,} {what}" for what, count in counts.items()))
