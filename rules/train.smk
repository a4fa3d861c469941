"""
Trains each model on each variant with each seed, and applies it.

REQUIRED INPUTS:
    results/{variant}/pool.npy
    results/{variant}/labelled.npy
    results/{variant}/elsewhere/{other}.npy  with data.also_score
    results/labelled/faces.parquet
    results/labelled/split.parquet
    the file at models.transfer.weights  where a path is named
    results/fetch/triplets.parquet       the model triplet
    results/audit/groups_labelled.parquet    with training.balance_groups

OUTPUTS, all under results/{variant}/{model}/seed{seed}:
    model                    weights.safetensors, model.json, history.jsonl, reconstructions.npy
                             (autoencoders)
    embeddings.npy           float32 (faces of the pool, width)
    labelled_embeddings.npy  float32 (labelled faces, width)
    probabilities.npy        float32 (labelled faces, 8); classifiers
    elsewhere/{other}/       embeddings.npy or, of classifiers, probabilities.npy of another set
"""

from facesort.train.cells import balances_groups


rule train:
    """Train {wildcards.model} on {wildcards.variant} with seed {wildcards.seed}."""
    input:
        # Each model's run depends on just the faces that it learns from.
        pool=branch(
            learns_from("pool"),
            then=seen_of("pool"),
            otherwise=[],
        ),
        labelled=branch(
            learns_from("labelled"),
            then=seen_of("labelled"),
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
        weights=lambda wildcards: local(start_weights(config, wildcards.model)),
        groups=lambda wildcards: (
            "results/audit/groups_labelled.parquet"
            if balances_groups(config, wildcards.model)
            else []
        ),
        triplets=branch(
            learns_from("triplets"),
            then="results/fetch/triplets.parquet",
            otherwise=[],
        ),
    output:
        model=directory("results/{variant}/{model}/seed{seed}/model"),
    log:
        "results/logs/train/{variant}/{model}/seed{seed}.log",
    # Takes longest: what is short fills the gaps beside it. More follows where faces are clustered.
    priority: lambda wildcards: 2 if wildcards.model in CLUSTERED else 1
    conda:
        "../envs/torch.yaml"
    threads: config["training"]["threads"]
    resources:
        mem_mb=training_memory,
        runtime=minutes(120, per_mb=0.3),
        # Of a card. Counted only where a run has a sum of them to give (profiles/gpu).
        gpu_percent=30,
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
        balance_groups=lambda wildcards: (
            config["training"]["balance_groups"]
            if balances_groups(config, wildcards.model)
            else None
        ),
        # Undeclared, so that a failed or killed job can go on from it.
        checkpoint=lambda wildcards, output: f"{Path(output.model).parent}/checkpoint",
        packages=packages_digest("torch"),
        code=lambda wildcards: code_digest(
            "train", f"facesort.train.models.{wildcards.model}"
        ),
    script:
        "../workflow_scripts/train.py"


rule embed:
    """Encode the training pool and the labelled faces with a trained model."""
    input:
        model="results/{variant}/{model}/seed{seed}/model",
        pool=seen_of("pool"),
        labelled=branch(LABELLED, then=seen_of("labelled"), otherwise=[]),
    output:
        pool="results/{variant}/{model}/seed{seed}/embeddings.npy",
        labelled=(
            "results/{variant}/{model}/seed{seed}/labelled_embeddings.npy"
            if LABELLED
            else []
        ),
    log:
        "results/logs/embed/{variant}/{model}/seed{seed}.log",
    # Maps and clusters wait for it.
    priority: 2
    conda:
        "../envs/torch.yaml"
    threads: config["training"]["threads"]
    resources:
        mem_mb=training_memory,
        runtime=minutes(60, per_mb=0.1),
        gpu_percent=10,
    params:
        training=TRAINING,
        packages=packages_digest("torch"),
        code=lambda wildcards: code_digest(
            "embed", f"facesort.train.models.{wildcards.model}"
        ),
    script:
        "../workflow_scripts/embed.py"


use rule embed as embed_elsewhere with:
    input:
        model="results/{variant}/{model}/seed{seed}/model",
        pool=seen_of("elsewhere/{other}"),
        labelled=[],
    output:
        pool="results/{variant}/{model}/seed{seed}/elsewhere/{other}/embeddings.npy",
        labelled=[],
    log:
        "results/logs/embed_elsewhere/{variant}/{model}/seed{seed}/{other}.log",


rule classify:
    """Probabilities of the eight emotions for the labelled faces, from a trained classifier."""
    input:
        model="results/{variant}/{model}/seed{seed}/model",
        labelled=seen_of("labelled"),
    output:
        probabilities="results/{variant}/{model}/seed{seed}/probabilities.npy",
    log:
        "results/logs/classify/{variant}/{model}/seed{seed}.log",
    wildcard_constraints:
        model="|".join(LAST_LAYERS),
    conda:
        "../envs/torch.yaml"
    threads: config["training"]["threads"]
    resources:
        mem_mb=training_memory,
        runtime=minutes(60, per_mb=0.1),
        gpu_percent=10,
    params:
        training=TRAINING,
        mirror=lambda wildcards: config["models"][wildcards.model].get("mirror", False),
        packages=packages_digest("torch"),
        code=lambda wildcards: code_digest(
            "classify", f"facesort.train.models.{wildcards.model}"
        ),
    script:
        "../workflow_scripts/classify.py"


use rule classify as classify_elsewhere with:
    input:
        model="results/{variant}/{model}/seed{seed}/model",
        labelled=seen_of("elsewhere/{other}"),
    output:
        probabilities="results/{variant}/{model}/seed{seed}/elsewhere/{other}/probabilities.npy",
    log:
        "results/logs/classify_elsewhere/{variant}/{model}/seed{seed}/{other}.log",
