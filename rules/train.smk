"""
Trains each model on each variant with each seed.

REQUIRED INPUTS:
    results/{variant}/pool.npy
    results/{variant}/labelled.npy
    results/labelled/faces.parquet
    results/labelled/split.parquet

OUTPUTS:
    results/{variant}/{model}/seed{seed}/model  weights.safetensors, model.json, history.jsonl
"""


rule train:
    """Train {wildcards.model} on {wildcards.variant} with seed {wildcards.seed}."""
    input:
        unpack(training_faces),
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
        mem_mb=config["training"]["mem_mb"],
        runtime=config["training"]["runtime"],
        gpu=config["training"]["gpu"],
    params:
        settings=lambda wildcards: model_settings(config, wildcards.model, wildcards.variant),
        training=training_settings,
        # Undeclared, so that a failed or killed job can go on from it.
        checkpoint="results/{variant}/{model}/seed{seed}/checkpoint/last.pt",
        code=lambda wildcards: code_digest("train", f"facesort.models.{wildcards.model}"),
    script:
        "../workflow_scripts/train.py"
