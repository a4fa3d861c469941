"""Rule fetch_shard of stage fetch.

Fetch the photos of some of the hosts.
"""

import csv
from pathlib import Path

from snakemake.iocontainers import Snakemake

from facesort.common.job import job
from facesort.common.lines import counted
from facesort.fetch.download import fetch
from facesort.fetch.journal import Journal, buckets_of
from facesort.fetch.worklist import WorkList

snakemake: Snakemake

with job(snakemake.log[0]):
    params = snakemake.params
    settings = {**snakemake.config["fetch"], **params.fetch}
    buckets = buckets_of(int(snakemake.wildcards.shard), params.fetch["shards"])
    with (
        Journal(params.state, params.size, buckets) as journal,
        WorkList(snakemake.input.faces, buckets) as worklist,
    ):
        done = fetch(
            worklist, journal, settings, snakemake.threads, snakemake.input.photos, params.port
        )
        counts = {
            "photos": worklist.photos,
            "asked": done.missing - done.postponed,
            "postponed": done.postponed,
        }
    with Path(snakemake.output.counts).open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([counts.keys(), counts.values()])
    print(counted(counts.items()))
