"""
Trains each model on each variant with each seed.

REQUIRED INPUTS:
    results/{variant}/pool.npy
    results/{variant}/labelled.npy
    results/labelled/faces.parquet
    results/labelled/split.parquet
    the file at models.transfer.weights  where one is named
    results/fetch/triplets.parquet

OUTPUTS:
    results/{variant}/{model}/seed{seed}/model  weights.safetensors, model.json, history.jsonl,
                                                reconstructions.npy (autoencoders)
"""


rule train:
    """Train {wildcards.model} on {wildcards.variant} with seed {wildcards.seed}."""
    input:
        # Each model's run depends on just the faces that it learns from.
        pool=branch(
            learns_from("pool"),
            then=seen("pool"),
            otherwise=[],
        ),
        labelled=branch(
            learns_from("labelled"),
            then=seen("labelled"),
            otherwise=[],
        ),
        index=branch(
            learns_from("labelled"),
            then="results/labelled/faces.parquet",
            otherwise=[],
        ),
        split=branch(
            learns_from("labelled"),
            then="results/labelled/split.parquet",
            otherwise=[],
        ),
        landmarks=branch(
            learns_from("landmarks"),
            then="results/{variant}/landmarks/pool.npy",
            otherwise=[],
        ),
        weights=starts_from,
        triplets=branch(
            learns_from("triplets"),
            then="results/fetch/triplets.parquet",
            otherwise=[],
        ),
    output:
        model=directory("results/{variant}/{model}/seed{seed}/model"),
    log:
        "results/logs/train/{variant}/{model}/seed{seed}.log",
    benchmark:
        "results/benchmarks/train/{variant}/{model}/seed{seed}.tsv"
    conda:
        "../envs/torch.yaml"
    threads: config["training"]["threads"]
    resources:
        mem_mb=training_memory,
        runtime=minutes(120, per_mb=0.3),
        # Here, since another value of a parameter would train anew.
        checkpoint_minutes=config["training"]["checkpoint_minutes"],
    params:
        settings=lambda wildcards: model_settings(
            config, wildcards.model, wildcards.variant
        ),
        training=TRAINING,
        # Only where settings are chosen by it; others need not train anew.
        clusters=lambda wildcards: (
            config["clustering"]["clusters"]
            if KINDS[wildcards.model].chooses
            else None
        ),
        # Undeclared, so that a failed or killed job can go on from it.
        checkpoint="results/{variant}/{model}/seed{seed}/checkpoint",
        packages=packages_digest("torch"),
        code=lambda wildcards: code_digest(
            "train", f"facesort.models.{wildcards.model}"
        ),
    script:
        "../workflow_scripts/train.py"
