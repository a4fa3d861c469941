"""
Renders faces when the config names no data of its own.

REQUIRED INPUTS: none

OUTPUTS:
    results/demo/photos             photos with one or two faces, served on 127.0.0.1 when fetched
    results/demo/fec.csv            their URLs and boxes in the FEC format
    results/demo/truth.csv          what was drawn in each box; nothing reads it but tests
    results/demo/labelled           a folder for each emotion and labels.csv (AffectNet layout)
    results/demo/contact_sheet.png  the eight emotions as they are drawn
"""


rule render_photos:
    """Render photos of faces from action units, and the FEC-format CSV that points at them."""
    output:
        photos=directory("results/demo/photos"),
        csv="results/demo/fec.csv",
        truth="results/demo/truth.csv",
    log:
        "results/logs/render_photos.log",
    # Takes all cores: later, those that it waits for would stand idle.
    priority: 1
    conda:
        "../envs/faces.yaml"
    threads: 4
    resources:
        mem_mb=megabytes(2000),
        runtime=minutes(30),
    params:
        photos=config["demo"]["photos"],
        rows=config["demo"]["rows"],
        base_url=f"http://127.0.0.1:{config['demo']['port']}/photos/",
        seed=config["demo"]["seed"],
        packages=packages_digest("faces"),
        code=code_digest("render_photos"),
    script:
        "../workflow_scripts/render_photos.py"


rule render_labelled:
    """Render labelled faces, other people than those in the photos, and a sheet of examples."""
    output:
        folder=directory("results/demo/labelled"),
        sheet="results/demo/contact_sheet.png",
    log:
        "results/logs/render_labelled.log",
    # Takes all cores: later, those that it waits for would stand idle.
    priority: 1
    conda:
        "../envs/faces.yaml"
    threads: 4
    resources:
        mem_mb=megabytes(2000),
        runtime=minutes(30),
    params:
        per_emotion=config["demo"]["per_emotion"],
        seed=config["demo"]["seed"],
        packages=packages_digest("faces"),
        code=code_digest("render_labelled"),
    script:
        "../workflow_scripts/render_labelled.py"
