"""
Finds the faces in a folder of photographs, reads what they show, tags them, and makes a page to
browse them on. The folder is only read. Asked for by the target `archive`; a run of all leaves it
alone.

REQUIRED INPUTS:
    archive.model of the config      a classifier that tells emotions, if any
    archive.photos of the config     a folder of photographs, or results/demo/photos
    archive.reviewed of the config   what persons said of tags, if the file is there
    archive.exclude of the config    photos that are left out, if any are

OUTPUTS:
    results/archive/faces.parquet    a row a face: place, size, pose, movements, probabilities, tags
    results/archive/faces.csv        the same in short, for table programs
    results/archive/photos.parquet, photos.csv  a row a photo: how many faces have each tag
    results/archive/refused.csv      a row a file that is no photo, and why
    results/archive/thresholds.csv, thresholds.md  from which probability on tags are given, and how
                                     often they are right
    results/archive/listing.parquet  all files, and which bucket each falls to
    results/archive/left_out.csv     how many photos each line of archive.exclude leaves out
    results/archive/buckets/         a journal a bucket, from which a killed run goes on
    results/archive/{found,read,refused,answers}/{job}.parquet  what each job has read and answered
    results/archive/{named,said}/{job}.parquet  persons named, and tags changed, by other programs
    results/archive/thumbnails/{job}.parquet    a JPEG of each face
    results/archive/previews/{job}.parquet      a small JPEG of each photo
    results/archive/browse.html, browse/        a page to find and to judge faces on; what it loads

The columns of all tables: facesort/archive/tables.py.
"""

PHOTOS = config["archive"]["photos"]
PHOTOS = "results/demo/photos" if PHOTOS == "demo" else PHOTOS
ANSWERING = archive_model(config)
REVIEWED = Path(config["archive"]["reviewed"]).expanduser()
REVIEWED = str(REVIEWED) if REVIEWED.is_file() else []
EXCLUDE = config["archive"]["exclude"] or []
# With photos left out, what other targets have made is made again, so that none of it shows them.
WITHOUT = EXCLUDE and [
    "results/archive/erased.csv",
    *(
        f"results/archive/{name}"
        for name in "browse.html bursts.csv headshots.csv album.csv album.html".split()
        if (FOLDER / "archive" / name).exists()
    ),
]
ARCHIVE_JOBS = range(config["archive"]["jobs"])


rule list_photos:
    """List the files of the archive but for those left out, and put each into a bucket."""
    input:
        folder=PHOTOS or "archive.photos of the config",
        exclude=EXCLUDE,
    output:
        listing="results/archive/listing.parquet",
        left_out="results/archive/left_out.csv",
    log:
        "results/logs/list_photos.log",
    conda:
        "../envs/archive.yaml"
    resources:
        mem_mb=megabytes(2000),
        runtime=minutes(120),
    params:
        folder=lambda wildcards, input: str(input.folder),
        # A folder's time tells nothing of what is in its folders.
        files=lambda wildcards: (
            "" if config["archive"]["photos"] == "demo" else tree_digest(PHOTOS)
        ),
        max_bytes=config["archive"]["max_bytes"],
        # Journals that know what files hold.
        state=lambda wildcards, output: f"{Path(output.listing).parent}/buckets",
        packages=packages_digest("archive"),
        code=code_digest("list_photos"),
    script:
        "../workflow_scripts/list_photos.py"


rule analyse_photos:
    """Find and read the faces of the photos that fall to job {wildcards.job}."""
    input:
        listing="results/archive/listing.parquet",
        folder=ancient(PHOTOS or "archive.photos of the config"),
        model=ANSWERING["path"],
        landmarks=ANSWERING["landmarks"],
    output:
        found="results/archive/found/{job}.parquet",
        read="results/archive/read/{job}.parquet",
        refused="results/archive/refused/{job}.parquet",
        named="results/archive/named/{job}.parquet",
        said="results/archive/said/{job}.parquet",
        thumbnails="results/archive/thumbnails/{job}.parquet",
        previews="results/archive/previews/{job}.parquet",
    log:
        "results/logs/analyse_photos/{job}.log",
    wildcard_constraints:
        job=r"\d+",
    conda:
        "../envs/archive.yaml"
    resources:
        # In tiles photos are looked at at full size.
        mem_mb=megabytes(3000 if config["archive"]["tiles"] else 1500),
        runtime=minutes(60, per_mb=200 / len(ARCHIVE_JOBS)),
    params:
        folder=lambda wildcards, input: str(input.folder),
        jobs=len(ARCHIVE_JOBS),
        border=config["faces"]["border"],
        settings={
            key: config["archive"][key]
            for key in ("detect_at", "tiles", "min_face", "max_bytes", "max_pixels")
        },
        # Undeclared, so that a failed or killed job keeps what it has read.
        state=lambda wildcards, output: f"{Path(output.found).parents[1]}/buckets",
        packages=packages_digest("archive"),
        code=code_digest("analyse_photos"),
    script:
        "../workflow_scripts/analyse_photos.py"


rule answer_faces:
    """Tell the emotions of the faces, without labels or by a trained model."""
    input:
        found=expand("results/archive/found/{job}.parquet", job=ARCHIVE_JOBS),
        model=ANSWERING["path"],
    output:
        answers=expand("results/archive/answers/{job}.parquet", job=ARCHIVE_JOBS),
    log:
        "results/logs/answer_faces.log",
    conda:
        "../envs/torch.yaml"
    resources:
        mem_mb=megabytes(2000),
        runtime=minutes(20, per_mb=0.05),
        gpu_percent=10,
    params:
        training=TRAINING,
        mirror=ANSWERING["mirror"],
        packages=packages_digest("torch"),
        code=code_digest("answer_faces", *ANSWERING["modules"]),
    script:
        "../workflow_scripts/answer_faces.py"


rule set_thresholds:
    """Set from which probability on tags are given, and tell how often they are right."""
    input:
        found=expand("results/archive/found/{job}.parquet", job=ARCHIVE_JOBS),
        answers=expand("results/archive/answers/{job}.parquet", job=ARCHIVE_JOBS),
        probabilities=ANSWERING["probabilities"],
        split="results/labelled/split.parquet" if ANSWERING["probabilities"] else [],
        index="results/labelled/faces.parquet" if ANSWERING["probabilities"] else [],
        reviewed=REVIEWED,
    output:
        table="results/archive/thresholds.csv",
        words="results/archive/thresholds.md",
    log:
        "results/logs/set_thresholds.log",
    conda:
        "../envs/archive.yaml"
    resources:
        mem_mb=megabytes(2000),
        runtime=minutes(20, per_mb=0.05),
    params:
        model=bool(ANSWERING["path"]),
        packages=packages_digest("archive"),
        code=code_digest("set_thresholds"),
    script:
        "../workflow_scripts/set_thresholds.py"


rule tag_faces:
    """Turn probabilities into tags, and join the tables of all jobs."""
    input:
        listing="results/archive/listing.parquet",
        found=expand("results/archive/found/{job}.parquet", job=ARCHIVE_JOBS),
        read=expand("results/archive/read/{job}.parquet", job=ARCHIVE_JOBS),
        refused=expand("results/archive/refused/{job}.parquet", job=ARCHIVE_JOBS),
        answers=expand("results/archive/answers/{job}.parquet", job=ARCHIVE_JOBS),
        named=expand("results/archive/named/{job}.parquet", job=ARCHIVE_JOBS),
        said=expand("results/archive/said/{job}.parquet", job=ARCHIVE_JOBS),
        thresholds="results/archive/thresholds.csv",
        reviewed=REVIEWED,
    output:
        faces="results/archive/faces.parquet",
        faces_csv="results/archive/faces.csv",
        photos="results/archive/photos.parquet",
        photos_csv="results/archive/photos.csv",
        refused="results/archive/refused.csv",
    log:
        "results/logs/tag_faces.log",
    conda:
        "../envs/archive.yaml"
    resources:
        mem_mb=megabytes(2000),
        runtime=minutes(20, per_mb=0.05),
    params:
        emotions=config["archive"]["emotions"],
        packages=packages_digest("archive"),
        code=code_digest("tag_faces"),
    script:
        "../workflow_scripts/tag_faces.py"


rule browse_page:
    """The page to find faces by look, movement, size and pose on, and to judge tags."""
    input:
        faces="results/archive/faces.parquet",
        photos="results/archive/photos.parquet",
        refused="results/archive/refused.csv",
        thresholds="results/archive/thresholds.csv",
        thumbnails=expand("results/archive/thumbnails/{job}.parquet", job=ARCHIVE_JOBS),
        previews=expand("results/archive/previews/{job}.parquet", job=ARCHIVE_JOBS),
        reviewed=REVIEWED,
        left_out="results/archive/left_out.csv",
    output:
        page=report(
            "results/archive/browse.html",
            caption="../docs/report/browse.rst",
            category="Archive",
            labels={"page": "Faces to browse"},
        ),
        shards=directory("results/archive/browse"),
    log:
        "results/logs/browse_page.log",
    conda:
        "../envs/analysis.yaml"
    resources:
        # Most of what it reads are pictures, which it holds a few of at a time.
        mem_mb=megabytes(1000, per_mb=0.1),
        runtime=minutes(10, per_mb=0.02),
    params:
        folder=PHOTOS,
        exclude=EXCLUDE,
        packages=packages_digest("analysis"),
        code=code_digest("browse_page"),
    script:
        "../workflow_scripts/browse_page.py"
