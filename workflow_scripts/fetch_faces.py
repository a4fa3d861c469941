"""Rule fetch_faces: fetch the photos of the sample and cut its faces out."""

import asyncio
from contextlib import nullcontext
from pathlib import Path

from snakemake.iocontainers import Snakemake

from facesort.arrays import read_index, write_index
from facesort.demo.host import ADDRESS, serve
from facesort.fetching import Fetching, assemble, losses
from facesort.job import job
from facesort.journal import Journal

snakemake: Snakemake

with job(snakemake.log[0]):
    params, output = snakemake.params, snakemake.output
    sample = read_index(snakemake.input.faces)
    # Rendered photos are fetched like any others, from this machine: it alone may be asked then.
    photos = snakemake.input.photos
    host = serve(Path(photos), params.demo_port) if photos else nullcontext()
    loopback = [(ADDRESS, params.demo_port)] if photos else []
    with Journal(params.state, params.size) as journal:
        with host:
            fetching = Fetching(sample, journal, params.fetch, snakemake.threads, loopback)
            asyncio.run(fetching.run())
        ledger = assemble(sample, journal, output.faces, output.index, output.refused)
    write_index(ledger, output.ledger)
    counts = ledger["outcome"].value_counts()
    told = ", ".join(f"{counts.get(k, 0):,} {k}" for k in ("fetched", "failed", "excluded"))
    print(f"{len(ledger):,} photos requested: {told}")
    for row in losses(ledger).head(10).itertuples():
        print(f"  {row.urls:,} {row.outcome} at {row.host}: {row.cause}")
