"""Rule fetch_faces of stage fetch.

Fetch what is still missing, and write the faces in the sample's order.
"""

from itertools import islice
from pathlib import Path

import pandas as pd
from snakemake.iocontainers import Snakemake

from facesort.common.job import job
from facesort.common.lines import counted
from facesort.fetch.download import fetch
from facesort.fetch.exclusions import erase, read_exclusions
from facesort.fetch.journal import Journal
from facesort.fetch.outputs import write_faces, write_ledger
from facesort.fetch.placeholders import find_placeholders
from facesort.fetch.worklist import WorkList

snakemake: Snakemake

with job(snakemake.log[0]):
    params, output = snakemake.params, snakemake.output
    settings = {**snakemake.config["fetch"], **params.fetch}
    sample = snakemake.input.faces
    excluded = read_exclusions(settings["exclude"])
    kept = pd.read_parquet(sample, columns=["face_id"])["face_id"]
    erased = erase(Path(params.state), excluded, kept, settings["keep_photos"])
    print(f"{erased:,} photos erased that are left out (config: fetch.exclude)")
    with Journal(params.state, params.size) as journal, WorkList(sample) as worklist:
        fetch(worklist, journal, settings, snakemake.threads, snakemake.input.photos, params.port)
        placeholders = find_placeholders(worklist, journal, settings["placeholders"])
        for digest, cause in islice(placeholders.items(), 5):
            print(f"warning: {cause} (sha256 {digest}; config: fetch.placeholders)")
        outcomes = write_ledger(worklist, journal, placeholders, output.ledger)
        faces, lost = write_faces(
            sample,
            journal,
            placeholders,
            output.faces,
            output.index,
            output.refused,
            output.manifest,
        )
    print(f"{outcomes.total():,} photos requested: {counted(outcomes.items())}")
    print(f"{faces + lost:,} faces requested: {faces:,} written, {lost:,} lost")
