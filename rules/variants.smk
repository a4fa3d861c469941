"""
Leaves out pool faces that are also labelled, reads what people said of the others, and makes the
variants rgb, grayscale and cropped.

REQUIRED INPUTS:
    results/fetch/faces.npy
    results/labelled/faces.npy
    data.fec_csv of the config      a CSV in the FEC format (results/demo/fec.csv without one)

OUTPUTS:
    results/fetch/leaks.parquet     pool faces that are near duplicates of labelled ones
    results/fetch/kept.parquet      row i is the row in results/fetch/faces.npy of pool face i
    results/fetch/triplets.parquet  people's comparisons of three faces: rows of the pool, and which
                                    is the odd one; part (train, held_out)
    results/fetch/triplets_lost.csv rows of the CSV without a comparison to use, by cause
    results/{variant}/pool.npy      uint8 (faces, height, width, channels); after the fetched faces, with
                                    faces.train_joins_pool, those of the training part
    results/{variant}/labelled.npy  the same of the labelled faces
"""


rule find_leaks:
    """Find faces of the pool that are also labelled; they must not train."""
    input:
        pool="results/fetch/faces.npy",
        labelled="results/labelled/faces.npy",
    output:
        leaks="results/fetch/leaks.parquet",
        kept="results/fetch/kept.parquet",
    log:
        "results/logs/find_leaks.log",
    benchmark:
        "results/benchmarks/find_leaks.tsv"
    conda:
        "../envs/faces.yaml"
    resources:
        mem_mb=megabytes(2000, per_mb=1.5),
        runtime=minutes(30, per_mb=0.03),
    params:
        packages=packages_digest("faces"),
        code=code_digest("find_leaks"),
    script:
        "../workflow_scripts/find_leaks.py"


rule read_triplets:
    """Read which of three faces people found least like the others, and hold some photos out."""
    input:
        csv=config["data"]["fec_csv"] or "results/demo/fec.csv",
        index="results/fetch/faces.parquet",
        kept="results/fetch/kept.parquet",
    output:
        triplets="results/fetch/triplets.parquet",
        lost="results/fetch/triplets_lost.csv",
    log:
        "results/logs/read_triplets.log",
    benchmark:
        "results/benchmarks/read_triplets.tsv"
    conda:
        "../envs/faces.yaml"
    resources:
        mem_mb=megabytes(1000, per_mb=8),
        runtime=minutes(10, per_mb=0.1),
    params:
        settings=TRIPLETS,
        seed=config["split"]["seed"],
        packages=packages_digest("faces"),
        code=code_digest("read_triplets"),
    script:
        "../workflow_scripts/read_triplets.py"


rule make_variant:
    """Make the variant {wildcards.variant} of one set of faces."""
    input:
        faces=lambda wildcards: {
            "pool": "results/fetch/faces.npy",
            "labelled": "results/labelled/faces.npy",
        }[wildcards.set],
        kept=branch(
            lambda wildcards: wildcards.set == "pool",
            then="results/fetch/kept.parquet",
            otherwise=[],
        ),
        joined=branch(
            lambda wildcards: wildcards.set == "pool"
            and config["faces"]["train_joins_pool"],
            then=["results/labelled/faces.npy", "results/labelled/split.parquet"],
            otherwise=[],
        ),
    output:
        faces="results/{variant}/{set}.npy",
    log:
        "results/logs/make_variant/{variant}/{set}.log",
    benchmark:
        "results/benchmarks/make_variant/{variant}/{set}.tsv"
    conda:
        "../envs/faces.yaml"
    resources:
        mem_mb=megabytes(1000, per_mb=2),
        runtime=minutes(10, per_mb=0.02),
    params:
        border=lambda wildcards: (
            config["faces"]["border"] if wildcards.variant == "cropped" else 0
        ),
        packages=packages_digest("faces"),
        code=code_digest("make_variant"),
    script:
        "../workflow_scripts/make_variant.py"
