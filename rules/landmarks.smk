"""
Finds the landmarks of faces, and cuts tight crops by them; only for models that see those.

REQUIRED INPUTS:
    results/{variant}/pool.npy
    results/{variant}/labelled.npy

OUTPUTS:
    results/{variant}/landmarks/{set}.npy      float32 (faces, 468, 3), pixels of the face's picture
    results/{variant}/landmarks/{set}.parquet  presence: how sure the network is of a face (0 to 1)
    results/{variant}/aligned/{set}.npy        uint8 (faces, side, side, channels), tight crops
"""


rule find_landmarks:
    """Find the face mesh (468 points) of each face of {wildcards.set}, {wildcards.variant}."""
    input:
        faces="results/{variant}/{set}.npy",
    output:
        landmarks="results/{variant}/landmarks/{set}.npy",
        presence="results/{variant}/landmarks/{set}.parquet",
    log:
        "results/logs/find_landmarks/{variant}/{set}.log",
    benchmark:
        "results/benchmarks/find_landmarks/{variant}/{set}.tsv"
    conda:
        "../envs/landmarks.yaml"
    threads: 2
    resources:
        mem_mb=megabytes(1500, per_mb=0.5),
        runtime=minutes(20, per_mb=1),
    params:
        packages=packages_digest("landmarks"),
        code=code_digest("find_landmarks"),
    script:
        "../workflow_scripts/find_landmarks.py"


rule align_faces:
    """Cut tight crops of {params.side} pixels, turned and scaled by eyes and nose."""
    input:
        faces="results/{variant}/{set}.npy",
        landmarks="results/{variant}/landmarks/{set}.npy",
        # Both sets' faces go to the places of the pool's mean face.
        pool_landmarks="results/{variant}/landmarks/pool.npy",
    output:
        faces="results/{variant}/aligned/{set}.npy",
    log:
        "results/logs/align_faces/{variant}/{set}.log",
    benchmark:
        "results/benchmarks/align_faces/{variant}/{set}.tsv"
    conda:
        "../envs/landmarks.yaml"
    resources:
        mem_mb=megabytes(2000, per_mb=2),
        runtime=minutes(10, per_mb=0.1),
    params:
        side=config["faces"]["aligned"],
        packages=packages_digest("landmarks"),
        code=code_digest("align_faces"),
    script:
        "../workflow_scripts/align_faces.py"
