"""
Reads the labelled faces and gives each its part.

REQUIRED INPUTS:
    data.labelled of the config      a folder of eight emotion folders (results/demo/labelled
                                     without one)

OUTPUTS:
    results/labelled/faces.npy        uint8 (faces, size, size, 3), RGB
    results/labelled/faces.parquet    row i is face i: path, folder, label, relFCs, digest
    results/labelled/refused.parquet  files that could not be read, and why
    results/labelled/duplicates.parquet  pairs of near duplicates: first, second, similarity, mirrored
    results/labelled/split.parquet    row i is face i: part (naming, train, test), semi
"""


rule read_labelled:
    """Read the labelled tree into one array of faces of {params.size} pixels."""
    input:
        folder=config["data"]["labelled"] or "results/demo/labelled",
    output:
        faces="results/labelled/faces.npy",
        index="results/labelled/faces.parquet",
        refused="results/labelled/refused.parquet",
    log:
        "results/logs/read_labelled.log",
    benchmark:
        "results/benchmarks/read_labelled.tsv"
    conda:
        "../envs/faces.yaml"
    threads: 2
    resources:
        mem_mb=megabytes(4000),
        runtime=minutes(120),
    params:
        folder=lambda wildcards, input: str(input.folder),
        size=config["faces"]["size"],
        label_from=config["data"]["label_from"],
        min_relfcs=config["data"]["min_relfcs"],
        # A folder's time tells nothing of what is in its folders.
        files=lambda wildcards: "" if DEMO else tree_digest(config["data"]["labelled"]),
        packages=packages_digest("faces"),
        code=code_digest("read_labelled"),
    script:
        "../workflow_scripts/read_labelled.py"


rule find_duplicates:
    """Find near duplicates among the labelled faces: re-encoded, shifted, brighter, mirrored."""
    input:
        faces="results/labelled/faces.npy",
    output:
        duplicates="results/labelled/duplicates.parquet",
    log:
        "results/logs/find_duplicates.log",
    benchmark:
        "results/benchmarks/find_duplicates.tsv"
    conda:
        "../envs/faces.yaml"
    resources:
        mem_mb=megabytes(2000, per_mb=1.5),
        runtime=minutes(30, per_mb=0.03),
    params:
        packages=packages_digest("faces"),
        code=code_digest("find_duplicates"),
    script:
        "../workflow_scripts/find_duplicates.py"


rule split_labelled:
    """Choose the faces that name clusters, that train and that score; copies stay together."""
    input:
        index="results/labelled/faces.parquet",
        duplicates="results/labelled/duplicates.parquet",
    output:
        split="results/labelled/split.parquet",
    log:
        "results/logs/split_labelled.log",
    benchmark:
        "results/benchmarks/split_labelled.tsv"
    conda:
        "../envs/faces.yaml"
    resources:
        mem_mb=megabytes(1000),
        runtime=minutes(10),
    params:
        split=config["split"],
        packages=packages_digest("faces"),
        code=code_digest("split_labelled"),
    script:
        "../workflow_scripts/split_labelled.py"
