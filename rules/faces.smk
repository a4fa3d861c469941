"""
Reads the labelled faces and gives each its part, leaves out pool faces that are also labelled, makes
the variants, landmarks and strengths of movements, and tight crops for models that see them. Other
sets, which are only scored on, go the same way.

REQUIRED INPUTS:
    data.labelled of the config     a labelled set (docs/labelled.md), or results/demo/labelled if no
                                    data are named; without one, nothing below is made of it
    data.also_score of the config   other labelled sets, if any
    results/fetch/faces.npy, faces.parquet
    data.fec_csv of the config      people's comparisons (results/demo/fec.csv without one)
    audit.groups of the config      groups of people by their faces' files, if named

OUTPUTS:
    results/labelled/faces.npy           uint8 (faces, size, size, 3), RGB
    results/labelled/faces.parquet       row i is face i: path, folder, label, relFCs, part
                                         (the set's own), digest
    results/labelled/refused.parquet     rows and files that are left out, and why
    results/labelled/duplicates.parquet  pairs of near duplicates: first, second, similarity, mirrored
    results/labelled/split.parquet       row i is face i: part (naming, train, test), semi
    results/fetch/leaks.parquet     pool faces that are near duplicates of labelled ones
    results/fetch/kept.parquet      row i is the row in results/fetch/faces.npy of pool face i
    results/fetch/triplets.parquet  people's comparisons of three faces: rows of the pool, and which
                                    is the odd one; part (train, held_out)
    results/fetch/triplets_lost.csv rows of the CSV without a comparison to use, by cause
    results/audit/groups_pool.parquet, groups_labelled.parquet  with audit.groups: row i is face i of
                                    the pool's array, or labelled face i; a column a kind of group
    results/audit/groups.csv        how many faces each group has
    results/{variant}/pool.npy      uint8 (faces, height, width, channels); after the fetched faces, with
                                    faces.train_joins_pool, those of the training part
    results/{variant}/labelled.npy  the same of the labelled faces
    results/elsewhere/{other}/faces.npy, faces.parquet, refused.parquet  as those in results/labelled
    results/elsewhere/{other}/overlap.parquet  faces that are near duplicates of others: face, part
                                               (of those others: pool, train, naming, test), of (its
                                               row there), similarity, mirrored
    results/{variant}/elsewhere/{other}.npy    the set in a variant; {set} below is pool, labelled or
                                               elsewhere/{other}
    results/{variant}/landmarks/{set}.npy      float32 (faces, 478, 3), pixels of the face's picture
    results/{variant}/landmarks/{set}.parquet  presence: how sure the network is of a face (0 to 1)
    results/{variant}/movements/{set}.parquet  strengths of movements: float32, a column each
    results/{variant}/movements/{set}.npy      float32 (faces, columns), set against the set's own spread
    results/{variant}/aligned/{set}.npy        uint8 (faces, side, side, channels), tight crops
"""

# Megabytes of memory that looking for near duplicates takes a megabyte of faces: some 12 KB a face,
# of three bytes a pixel.
NEAR_DUPLICATES = 4000 / config["faces"]["size"] ** 2


rule read_labelled:
    """Read the labelled set into one array of faces of {params.size} pixels."""
    input:
        # Faces of one's own are not scored by rendered ones; a missing file's name says it best.
        folder=(
            "results/demo/labelled"
            if DEMO
            else local(config["data"]["labelled"] or "data.labelled of the config")
        ),
    output:
        faces="results/labelled/faces.npy",
        index="results/labelled/faces.parquet",
        refused="results/labelled/refused.parquet",
    log:
        "results/logs/read_labelled.log",
    conda:
        "../envs/faces.yaml"
    threads: 2
    resources:
        mem_mb=megabytes(4000),
        runtime=minutes(120),
    params:
        folder=lambda wildcards, input: str(input.folder),
        size=config["faces"]["size"],
        settings=LAYOUT,
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
    conda:
        "../envs/faces.yaml"
    resources:
        mem_mb=megabytes(2000, per_mb=NEAR_DUPLICATES),
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
    localrule: True
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


rule find_leaks:
    """Find faces of the pool that are also labelled; they must not train."""
    input:
        pool="results/fetch/faces.npy",
        labelled=branch(LABELLED, then="results/labelled/faces.npy", otherwise=[]),
    output:
        leaks="results/fetch/leaks.parquet",
        kept="results/fetch/kept.parquet",
    log:
        "results/logs/find_leaks.log",
    conda:
        "../envs/faces.yaml"
    resources:
        mem_mb=megabytes(2000, per_mb=NEAR_DUPLICATES),
        runtime=minutes(30, per_mb=0.03),
    params:
        packages=packages_digest("faces"),
        code=code_digest("find_leaks"),
    script:
        "../workflow_scripts/find_leaks.py"


rule read_triplets:
    """Read which of three faces people found least like the others, and hold some photos out."""
    input:
        csv=(
            "results/demo/fec.csv"
            if DEMO
            else local(config["data"]["fec_csv"] or "data.fec_csv of the config")
        ),
        index="results/fetch/faces.parquet",
        kept="results/fetch/kept.parquet",
    output:
        triplets="results/fetch/triplets.parquet",
        lost="results/fetch/triplets_lost.csv",
    log:
        "results/logs/read_triplets.log",
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


rule read_elsewhere:
    """Read the set {wildcards.other}, which is only scored on."""
    input:
        folder=lambda wildcards: local(OTHERS[wildcards.other]["folder"]),
    output:
        faces="results/elsewhere/{other}/faces.npy",
        index="results/elsewhere/{other}/faces.parquet",
        refused="results/elsewhere/{other}/refused.parquet",
    log:
        "results/logs/read_elsewhere/{other}.log",
    conda:
        "../envs/faces.yaml"
    threads: 2
    resources:
        mem_mb=megabytes(4000),
        runtime=minutes(120),
    params:
        size=config["faces"]["size"],
        settings=lambda wildcards: OTHERS[wildcards.other]["settings"],
        files=lambda wildcards: tree_digest(OTHERS[wildcards.other]["folder"]),
        packages=packages_digest("faces"),
        code=code_digest("read_elsewhere"),
    script:
        "../workflow_scripts/read_elsewhere.py"


rule find_overlap:
    """Find faces of the set {wildcards.other} that are also in the pool or among the labelled."""
    input:
        faces="results/elsewhere/{other}/faces.npy",
        pool="results/fetch/faces.npy",
        kept="results/fetch/kept.parquet",
        labelled="results/labelled/faces.npy",
        split="results/labelled/split.parquet",
    output:
        overlap="results/elsewhere/{other}/overlap.parquet",
    log:
        "results/logs/find_overlap/{other}.log",
    conda:
        "../envs/faces.yaml"
    resources:
        mem_mb=megabytes(2000, per_mb=NEAR_DUPLICATES),
        runtime=minutes(30, per_mb=0.03),
    params:
        packages=packages_digest("faces"),
        code=code_digest("find_overlap"),
    script:
        "../workflow_scripts/find_overlap.py"


rule read_groups:
    """Read which groups of people the faces belong to, by the user's table."""
    input:
        groups=local(config["audit"]["groups"] or "audit.groups of the config"),
        pool="results/fetch/faces.parquet",
        kept="results/fetch/kept.parquet",
        labelled=branch(LABELLED, then="results/labelled/faces.parquet", otherwise=[]),
        joined=branch(
            config["faces"]["train_joins_pool"],
            then="results/labelled/split.parquet",
            otherwise=[],
        ),
    output:
        groups=[
            f"results/audit/groups_{name}.parquet"
            for name in ["pool"] + ["labelled"] * LABELLED
        ],
        counts="results/audit/groups.csv",
    log:
        "results/logs/read_groups.log",
    localrule: True
    conda:
        "../envs/faces.yaml"
    resources:
        mem_mb=megabytes(1000, per_mb=20),
        runtime=minutes(10, per_mb=0.1),
    params:
        columns=config["audit"]["columns"],
        bands=config["audit"]["bands"],
        packages=packages_digest("faces"),
        code=code_digest("read_groups"),
    script:
        "../workflow_scripts/read_groups.py"


rule make_variant:
    """Make the variant {wildcards.variant} of one set of faces."""
    input:
        faces=lambda wildcards: (
            "results/fetch/faces.npy"
            if wildcards.set == "pool"
            else f"results/{wildcards.set}/faces.npy"
        ),
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
    # Training waits for it.
    priority: 1
    conda:
        "../envs/faces.yaml"
    resources:
        mem_mb=megabytes(1000),
        runtime=minutes(10, per_mb=0.005),
    params:
        border=lambda wildcards: (
            config["faces"]["border"] if wildcards.variant == "cropped" else 0
        ),
        packages=packages_digest("faces"),
        code=code_digest("make_variant"),
    script:
        "../workflow_scripts/make_variant.py"


rule find_landmarks:
    """Find the face mesh (478 points) of each face of {wildcards.set}, {wildcards.variant}."""
    input:
        faces="results/{variant}/{set}.npy",
    output:
        landmarks="results/{variant}/landmarks/{set}.npy",
        presence="results/{variant}/landmarks/{set}.parquet",
    log:
        "results/logs/find_landmarks/{variant}/{set}.log",
    conda:
        "../envs/landmarks.yaml"
    threads: 2
    resources:
        mem_mb=megabytes(1500),
        # A tenth of a second a face, of three bytes a pixel.
        runtime=minutes(20, per_mb=600 / config["faces"]["size"] ** 2),
    params:
        packages=packages_digest("landmarks"),
        code=code_digest("find_landmarks"),
    script:
        "../workflow_scripts/find_landmarks.py"


rule measure_movements:
    """Measure what each face of {wildcards.set} does, {wildcards.variant}: strengths of movements."""
    input:
        landmarks="results/{variant}/landmarks/{set}.npy",
        presence="results/{variant}/landmarks/{set}.parquet",
    output:
        strengths="results/{variant}/movements/{set}.parquet",
        movements="results/{variant}/movements/{set}.npy",
    log:
        "results/logs/measure_movements/{variant}/{set}.log",
    conda:
        "../envs/landmarks.yaml"
    threads: 2
    resources:
        mem_mb=megabytes(1000, per_mb=4),
        runtime=minutes(10, per_mb=0.2),
    params:
        packages=packages_digest("landmarks"),
        code=code_digest("measure_movements"),
    script:
        "../workflow_scripts/measure_movements.py"


rule align_faces:
    """Cut tight crops of {params.side} pixels, turned and scaled by eyes and nose."""
    input:
        faces="results/{variant}/{set}.npy",
        landmarks="results/{variant}/landmarks/{set}.npy",
        # All sets' faces go to the places of the pool's mean face.
        pool_landmarks="results/{variant}/landmarks/pool.npy",
    output:
        faces="results/{variant}/aligned/{set}.npy",
    log:
        "results/logs/align_faces/{variant}/{set}.log",
    conda:
        "../envs/landmarks.yaml"
    resources:
        mem_mb=megabytes(2000),
        runtime=minutes(10, per_mb=0.01),
    params:
        side=config["faces"]["aligned"],
        packages=packages_digest("landmarks"),
        code=code_digest("align_faces"),
    script:
        "../workflow_scripts/align_faces.py"
