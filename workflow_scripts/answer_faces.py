"""Rule answer_faces of stage archive.

Tell the emotions of the faces, without labels or by a trained model.
"""

from snakemake.iocontainers import Snakemake

from facesort.archive.answers import ByModel, LabelFree, answer, sampled
from facesort.common.job import job

snakemake: Snakemake

with job(snakemake.log[0]):
    sample = sampled(snakemake.input.found)
    params, model = snakemake.params, str(snakemake.input.model)
    tell = ByModel(model, params.training, params.mirror, sample) if model else LabelFree(sample)
    count = answer(snakemake.input.found, snakemake.output.answers, tell)
    print(f"{count:,} faces answered; {len(sample):,} of them told what is usual here")
