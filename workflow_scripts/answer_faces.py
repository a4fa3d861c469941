"""Rule answer_faces of stage archive.

Tell the emotions of the faces, without labels.
"""

from snakemake.iocontainers import Snakemake

from facesort.archive.answers import LabelFree, answer, sampled
from facesort.common.job import job

snakemake: Snakemake

with job(snakemake.log[0]):
    sample = sampled(snakemake.input.found)
    count = answer(snakemake.input.found, snakemake.output.answers, LabelFree(sample))
    print(f"{count:,} faces answered; {len(sample):,} of them told what is usual here")
