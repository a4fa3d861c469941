"""Rule read_faces of stage fetch.

Read a folder of face crops as the pool, with the accounts that there are of what is fetched.
"""

from snakemake.iocontainers import Snakemake

from facesort.common.job import job
from facesort.fetch.folder import read_folder, write_accounts

snakemake: Snakemake

with job(snakemake.log[0]):
    params, output = snakemake.params, snakemake.output
    files = read_folder(
        params.folder,
        output.faces,
        sample=params.sample,
        seed=params.seed,
        size=params.size,
        workers=snakemake.threads,
        max_bytes=params.max_bytes,
        max_pixels=params.max_pixels,
    )
    write_accounts(files, output.index, output.ledger, output.refused, output.manifest)
