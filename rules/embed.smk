"""
Applies the trained models.

REQUIRED INPUTS:
    results/{variant}/{model}/seed{seed}/model
    results/{variant}/pool.npy
    results/{variant}/labelled.npy
    results/labelled/faces.parquet and split.parquet         where the nearest labelled faces answer

OUTPUTS, all under results/{variant}/{model}/seed{seed}:
    embeddings.npy           float32 (faces of the pool, width)
    labelled_embeddings.npy  float32 (labelled faces, width)
    probabilities.npy        float32 (labelled faces, 8); classifiers
"""


rule embed:
    """Encode the training pool and the labelled faces with a trained model."""
    input:
        model="results/{variant}/{model}/seed{seed}/model",
        pool=seen("pool"),
        labelled=seen("labelled"),
    output:
        pool="results/{variant}/{model}/seed{seed}/embeddings.npy",
        labelled="results/{variant}/{model}/seed{seed}/labelled_embeddings.npy",
    log:
        "results/logs/embed/{variant}/{model}/seed{seed}.log",
    benchmark:
        "results/benchmarks/embed/{variant}/{model}/seed{seed}.tsv"
    conda:
        "../envs/torch.yaml"
    threads: config["training"]["threads"]
    resources:
        mem_mb=training_memory,
        runtime=minutes(60, per_mb=0.1),
    params:
        training=TRAINING,
        packages=packages_digest("torch"),
        code=lambda wildcards: code_digest(
            "embed", f"facesort.models.{wildcards.model}"
        ),
    script:
        "../workflow_scripts/embed.py"


rule classify:
    """Probabilities of the eight emotions for the labelled faces, from a trained classifier."""
    input:
        model="results/{variant}/{model}/seed{seed}/model",
        labelled=seen("labelled"),
    output:
        probabilities="results/{variant}/{model}/seed{seed}/probabilities.npy",
    log:
        "results/logs/classify/{variant}/{model}/seed{seed}.log",
    benchmark:
        "results/benchmarks/classify/{variant}/{model}/seed{seed}.tsv"
    wildcard_constraints:
        model="|".join(LAST_LAYERS),
    conda:
        "../envs/torch.yaml"
    threads: config["training"]["threads"]
    resources:
        mem_mb=training_memory,
        runtime=minutes(60, per_mb=0.1),
    params:
        training=TRAINING,
        mirror=lambda wildcards: config["models"][wildcards.model].get("mirror", False),
        packages=packages_digest("torch"),
        code=lambda wildcards: code_digest(
            "classify", f"facesort.models.{wildcards.model}"
        ),
    script:
        "../workflow_scripts/classify.py"


rule answer_by_neighbours:
    """Votes of the nearest labelled faces of the training part on every labelled face's emotion."""
    input:
        embeddings="results/{variant}/{model}/seed{seed}/labelled_embeddings.npy",
        index="results/labelled/faces.parquet",
        split="results/labelled/split.parquet",
    output:
        probabilities="results/{variant}/{model}/seed{seed}/probabilities.npy",
    log:
        "results/logs/answer_by_neighbours/{variant}/{model}/seed{seed}.log",
    benchmark:
        "results/benchmarks/answer_by_neighbours/{variant}/{model}/seed{seed}.tsv"
    wildcard_constraints:
        model="|".join(NEIGHBOURS),
    conda:
        "../envs/analysis.yaml"
    resources:
        mem_mb=megabytes(2000, per_mb=20),
        runtime=minutes(10, per_mb=1),
    params:
        packages=packages_digest("analysis"),
        code=code_digest("answer_by_neighbours"),
    script:
        "../workflow_scripts/answer_by_neighbours.py"
