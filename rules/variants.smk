"""
Makes the variants rgb, grayscale and cropped of both sets of faces.

REQUIRED INPUTS:
    results/fetch/faces.npy
    results/labelled/faces.npy

OUTPUTS:
    results/{variant}/pool.npy      uint8 (faces, height, width, channels)
    results/{variant}/labelled.npy  the same of the labelled faces
"""


rule make_variant:
    """Make the variant {wildcards.variant} of one set of faces."""
    input:
        faces=lambda wildcards: {
            "pool": "results/fetch/faces.npy",
            "labelled": "results/labelled/faces.npy",
        }[wildcards.set],
    output:
        faces="results/{variant}/{set}.npy",
    log:
        "results/logs/make_variant/{variant}/{set}.log",
    benchmark:
        "results/benchmarks/make_variant/{variant}/{set}.tsv"
    wildcard_constraints:
        set="pool|labelled",
    conda:
        "../envs/faces.yaml"
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        border=lambda wildcards: (
            config["faces"]["border"] if wildcards.variant == "cropped" else 0
        ),
        code=code_digest("make_variant"),
    script:
        "../workflow_scripts/make_variant.py"
