"""Rule fetch_faces: fetch the photos of the sample and cut its faces out."""

import asyncio
from contextlib import nullcontext
from pathlib import Path

from snakemake.iocontainers import Snakemake

from facesort.arrays import read_index, write_index
from facesort.demo.host import serve
from facesort.fetching import Store, assemble, fetch_all
from facesort.job import job

snakemake: Snakemake

with job(snakemake.log[0]):
    params, output = snakemake.params, snakemake.output
    sample = read_index(snakemake.input.faces)
    store = Store(Path(params.state), params.size)
    if params.fetch["retry_failed"]:
        store.forget_failures()
    photos = snakemake.input.photos
    with serve(Path(photos), params.demo_port) if photos else nullcontext():
        asyncio.run(fetch_all(sample, store, params.fetch, snakemake.threads))
    ledger = assemble(sample, store, output.faces, output.index, output.refused)
    write_index(ledger, output.ledger)
    print(ledger["outcome"].value_counts().to_string())
