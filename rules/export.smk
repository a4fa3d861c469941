"""
Writes each classifier as files that other programs run, tries them, and sets them side by side
(docs/export.md). Asked for by the target `export`; a run of all leaves it alone.

REQUIRED INPUTS:
    results/{variant}/{model}/seed{seed}/model      a trained classifier
    results/{variant}/pool.npy, labelled.npy        or aligned/ for models that see tight crops
    results/{variant}/landmarks/                    for models that see landmarks or movements
    results/{variant}/movements/pool.parquet        what is usual, for models that see movements
    results/labelled/faces.parquet, split.parquet
    results/{variant}/{model}/seed{seed}/metrics.json, results/elsewhere.csv   for the model card

OUTPUTS:
    results/{variant}/{model}/seed{seed}/export/    float32.onnx, float16.onnx, int8.onnx, model.json,
                                                    README.md, the model card
    results/{variant}/{model}/seed{seed}/export.csv a row a precision: bytes, times, scores
    results/{variant}/{model}/seed{seed}/export.parquet  a row a scored face: face, label, and what
                                                    float32.onnx answers, a column an emotion
    results/export/face_detector/                   float16.onnx, model.json
    results/export.csv, results/export.md           all of them
    results/model_cards.html                        all model cards
"""

from facesort.train.cells import export_inputs

EXPORTED = [cell for cell in CELLS if cell["model"] in LAST_LAYERS]


rule export_detector:
    """Write the face detector in float16."""
    output:
        folder=directory("results/export/face_detector"),
    log:
        "results/logs/export_detector.log",
    localrule: True
    conda:
        "../envs/export.yaml"
    resources:
        mem_mb=megabytes(1000),
        runtime=minutes(10),
    params:
        packages=packages_digest("export"),
        code=code_digest("export_detector"),
    script:
        "../workflow_scripts/export_detector.py"


rule export_model:
    """Write {wildcards.model} on {wildcards.variant}, seed {wildcards.seed}, as ONNX."""
    input:
        unpack(lambda w: export_inputs(config, w.model, w.variant)),
        model="results/{variant}/{model}/seed{seed}/model",
        index="results/labelled/faces.parquet",
        split="results/labelled/split.parquet",
    output:
        float32="results/{variant}/{model}/seed{seed}/export/float32.onnx",
        float16="results/{variant}/{model}/seed{seed}/export/float16.onnx",
        int8="results/{variant}/{model}/seed{seed}/export/int8.onnx",
        about="results/{variant}/{model}/seed{seed}/export/model.json",
    log:
        "results/logs/export_model/{variant}/{model}/seed{seed}.log",
    wildcard_constraints:
        model="|".join(LAST_LAYERS),
    conda:
        "../envs/export.yaml"
    resources:
        mem_mb=training_memory,
        runtime=minutes(60),
    params:
        mirror=lambda wildcards: config["models"][wildcards.model].get("mirror", False),
        border=config["faces"]["border"],
        packages=packages_digest("export"),
        code=lambda wildcards: code_digest(
            "export_model", f"facesort.train.models.{wildcards.model}"
        ),
    script:
        "../workflow_scripts/export_model.py"


rule try_export:
    """Try the files of {wildcards.model} on {wildcards.variant}, seed {wildcards.seed}."""
    input:
        unpack(lambda w: export_inputs(config, w.model, w.variant)),
        files=[
            f"results/{{variant}}/{{model}}/seed{{seed}}/export/{precision}.onnx"
            for precision in ("float32", "float16", "int8")
        ],
        model="results/{variant}/{model}/seed{seed}/model",
        index="results/labelled/faces.parquet",
        split="results/labelled/split.parquet",
    output:
        table="results/{variant}/{model}/seed{seed}/export.csv",
        answers="results/{variant}/{model}/seed{seed}/export.parquet",
    log:
        "results/logs/try_export/{variant}/{model}/seed{seed}.log",
    wildcard_constraints:
        model="|".join(LAST_LAYERS),
    conda:
        "../envs/export.yaml"
    resources:
        # Windows of the face mesh take 200 kB a face.
        mem_mb=megabytes(3000, per_mb=12),
        runtime=minutes(60, per_mb=1),
    params:
        mirror=lambda wildcards: config["models"][wildcards.model].get("mirror", False),
        packages=packages_digest("export"),
        code=lambda wildcards: code_digest(
            "try_export", f"facesort.train.models.{wildcards.model}"
        ),
    script:
        "../workflow_scripts/try_export.py"


rule model_card:
    """The model card of {wildcards.model} on {wildcards.variant}, seed {wildcards.seed}."""
    input:
        about="results/{variant}/{model}/seed{seed}/export/model.json",
        table="results/{variant}/{model}/seed{seed}/export.csv",
        answers="results/{variant}/{model}/seed{seed}/export.parquet",
        model="results/{variant}/{model}/seed{seed}/model",
        metrics="results/{variant}/{model}/seed{seed}/metrics.json",
        index="results/labelled/faces.parquet",
        split="results/labelled/split.parquet",
        elsewhere=branch(OTHERS, then="results/elsewhere.csv", otherwise=[]),
        # A card tells what audits found of its row.
        audits=[
            path
            for path in audit_files(config)
            if path in ("results/audit.csv", "results/counterfactual.csv")
        ],
    output:
        card="results/{variant}/{model}/seed{seed}/export/README.md",
    log:
        "results/logs/model_card/{variant}/{model}/seed{seed}.log",
    wildcard_constraints:
        model="|".join(LAST_LAYERS),
    localrule: True
    conda:
        "../envs/export.yaml"
    resources:
        mem_mb=megabytes(1000),
        runtime=minutes(10),
    params:
        data=config["data"],
        smallest=config["audit"]["smallest"],
        packages=packages_digest("export"),
        code=code_digest("model_card"),
    script:
        "../workflow_scripts/model_card.py"


rule export_table:
    """Set all exported files side by side."""
    input:
        tables=[
            "results/{variant}/{model}/seed{seed}/export.csv".format(**cell)
            for cell in EXPORTED
        ],
        detector="results/export/face_detector",
    output:
        csv="results/export.csv",
        md="results/export.md",
    log:
        "results/logs/export_table.log",
    localrule: True
    conda:
        "../envs/export.yaml"
    resources:
        mem_mb=megabytes(1000),
        runtime=minutes(10),
    params:
        cells=EXPORTED,
        data=DATA,
        packages=packages_digest("export"),
        code=code_digest("export_table"),
    script:
        "../workflow_scripts/export_table.py"


rule model_cards_page:
    """All model cards on one page."""
    input:
        cards=[
            "results/{variant}/{model}/seed{seed}/export/README.md".format(**cell)
            for cell in EXPORTED
        ],
    output:
        page=report(
            "results/model_cards.html",
            caption="../docs/report/model_cards.rst",
            category="Cards",
            labels={"page": "Model cards: what each exported model is, and how right"},
        ),
    log:
        "results/logs/model_cards_page.log",
    localrule: True
    conda:
        "../envs/analysis.yaml"
    resources:
        mem_mb=megabytes(1000),
        runtime=minutes(10),
    params:
        packages=packages_digest("analysis"),
        code=code_digest("model_cards_page"),
    script:
        "../workflow_scripts/model_cards_page.py"
