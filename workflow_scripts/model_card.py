"""Rule model_card of stage export.

Say what an exported model is, what it learnt from and how right it is, from results alone.
"""

from pathlib import Path

from snakemake.iocontainers import Snakemake

from facesort.audit.counterfactual import finding_lines
from facesort.audit.report import finding
from facesort.common.arrays import read_index, write_whole
from facesort.common.emotions import EMOTIONS
from facesort.common.job import job
from facesort.common.reading import read_json, read_table
from facesort.export.model_card import model_card
from facesort.pages.cards import LIMITS, names_of_sets
from facesort.train.models import MODELS

snakemake: Snakemake


def found(path: str, model: str, variant: str) -> tuple[str, str]:
    """What an audit found of one row: a heading, and words."""
    table = read_table(path, "model", "variant")
    own = table[(table["model"] == model) & (table["variant"] == variant)]
    if Path(path).stem == "audit":
        return "By groups of people", finding(own, snakemake.params.smallest)
    return "What changes its answer", " ".join(finding_lines(own))


with job(snakemake.log[0]):
    given = snakemake.input
    model, variant = snakemake.wildcards.model, snakemake.wildcards.variant
    split = read_index(given.split)
    labels = read_index(given.index, len(split))["label"]
    taught = None
    if "labelled" in MODELS[model].learns_from:
        learnt = split["semi"] if model == "semi_supervised" else split["part"] == "train"
        taught = labels[learnt].value_counts().reindex(EMOTIONS, fill_value=0)
    elsewhere = None
    if given.elsewhere:
        elsewhere = read_table(given.elsewhere, "set", "n")
        elsewhere = elsewhere.query("model == @model and variant == @variant")
    card = model_card(
        made=read_json(Path(given.model) / "model.json"),
        about=read_json(given.about),
        table=read_table(given.table, "precision", "bytes"),
        answers=read_index(given.answers),
        parts=split["part"],
        taught=taught,
        in_workflow=read_json(given.metrics)["accuracy"],
        names=names_of_sets(snakemake.params.data),
        limits=LIMITS,
        elsewhere=elsewhere,
        audits=dict(found(path, model, variant) for path in given.audits),
    )
    with write_whole(snakemake.output.card) as part:
        part.write_text(card, encoding="utf-8")
