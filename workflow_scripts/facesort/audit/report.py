"""The audit in words: the finding, the widest gaps, and a table of groups for each row."""

import re
from typing import Any, Final

import numpy as np
import pandas as pd

from facesort.audit.gap_table import BALANCED, FACES, FEW, GAP, MEASURES, TEST, worst
from facesort.common.emotions import EMOTIONS
from facesort.score.markdown import percent, table_lines

SHOWN: Final = 10
# Of what people are shown, as tables head it.
HEADS: Final = {
    "found": "found",
    "answered": "answered",
    "accuracy": "accuracy",
    BALANCED: "balanced",
    "overconfidence": "surer than right",
    "confidence": "confidence",
}
SETS: Final = {"pool": "pool, without labels", "test": "scored faces"}
NOTES: Final = (
    "Each group is compared with all other faces of its column. Faces whose group is not told are "
    "left out.",
    "A difference in what is told is no fault by itself. Without labels nobody can say if it is "
    "the people's, the photographers' or the model's: some groups may smile more for a camera.",
    "A gap in accuracy is the model's, or that of those who labelled. Balanced accuracy compares "
    "faces of the same label, so how often a group shows an emotion does not count.",
    "Only scored faces count for accuracy. None of them trained, named or chose anything.",
    "Answered: the face's cluster has an emotion's name. Rows that see landmarks also need a face "
    "in which these are found; they tell of other faces too, and that counts as in Table 1. Found: "
    "the network that finds landmarks is more sure than not that there is a face.",
    "Surer than right: mean confidence less accuracy, in points. 0 is well calibrated.",
    "Figures are in percent, differences in points, with 95% intervals. Bold: beyond chance after "
    "Holm's correction over all tests. So an audit of fair answers finds nothing at all in 95 of "
    "100 cases, however the tests hang together.",
    "Gaps of less than a point are no finding, however sure: many faces show any difference.",
    "Power: with so many faces, 8 in 10 gaps of that size would be found beyond chance. Smaller "
    "ones may well be there.",
)


def audit_markdown(
    table: pd.DataFrame,
    counts: pd.DataFrame,
    *,
    data: str,
    smallest: int,
    seeds: int,
    since: list[str] | None = None,
) -> str:
    """The audit for reading; what stands below a ``###`` heading is folded away on pages.

    Args:
        table: as of ``gap_table.make_audit``.
        counts: as of ``groups.count_groups``, of the same sets.
        data: what the run was made from.
        smallest: fewest faces for a verdict.
        seeds: how many there are.
        since: what has changed since an earlier audit, as of ``changes.changes_lines``.
    """
    listed = [f"- {sentence(row)}" for row in worst(table, SHOWN).to_dict("records")]
    parts = [finding(table, smallest), ""]
    if listed:
        parts += ["The widest gaps beyond chance, errors first:", "", *listed, ""]
    if since:
        parts += ["### Since the earlier audit", "", *since, ""]
    for name in table["set"].unique():
        of_set = table[table["set"] == name]
        found = of_set[of_set["model"] == FACES]
        for (model, variant), row in of_set[of_set["model"] != FACES].groupby(
            ["model", "variant"], sort=False
        ):
            both = pd.concat([found[found["variant"] == variant], row])
            parts += [f"### {model} on {variant}: {SETS[name]}", "", *_groups_table(both), ""]
    parts += ["### How many faces, and what they can show", "", *_power_table(table, counts), ""]
    covers = "faces and seeds" if seeds > 1 else "faces (there is one seed)"
    notes = [f"Data: {data}. Intervals cover {covers}.", *NOTES]
    notes.append(f"Groups of fewer than {smallest} faces, and rare answers, get no verdict.")
    return "\n".join([*parts, "### Notes", "", *(f"- {note}" for note in notes), ""])


def finding(table: pd.DataFrame, smallest: int) -> str:
    """The finding in a sentence or two."""
    tests = table["p_holm"].notna()
    if not tests.any():
        return (
            f"No verdict on any group: too few faces have a group that is told, and {smallest} on "
            "each side are needed."
        )
    gaps = worst(table, len(table))
    compared = len(table[tests].drop_duplicates([k for k in TEST if k != "group"]))
    if gaps.empty:
        return (
            f"No gap between groups of people is beyond chance, in {compared:,} comparisons. Gaps "
            f"of {points(table['detectable'].median())} points would typically be seen."
        )
    errors = gaps[~gaps["measure"].isin([*EMOTIONS, "confidence"])]
    count = f"{len(gaps):,} of {compared:,} comparisons show a gap beyond chance"
    if len(errors):
        first = sentence(errors.iloc[0].to_dict())
        return f"Answers do not serve all groups of people alike. {first} In all, {count}."
    labels = table.loc[tests, "measure"].isin(["accuracy", BALANCED]).any()
    so = (
        "None of them is in errors."
        if labels
        else "These faces have no labels, so nobody can say from this who is wrong."
    )
    first = sentence(gaps.iloc[0].to_dict())
    return f"Answers differ between groups of people. {first} In all, {count}. {so}"


def sentence(row: dict[Any, Any]) -> str:
    """A gap in words."""
    who = f"faces with {plain(row['column'])} {plain(row['group'])}"
    value, others = f"{percent(row['value'])}%", f"{percent(row['others'])}%"
    model, measure = f"{row['model']} on {row['variant']}", row["measure"]
    told = {
        "found": f"Landmarks are found in {value} of {who} ({row['variant']}), and in {others} of "
        "the others",
        "answered": f"{model} has an answer for {value} of {who}, and for {others} of the others",
        "accuracy": f"{model} is right about {value} of {who}, and about {others} of the others",
        BALANCED: f"{model} reaches a balanced accuracy of {value} for {who}, and of {others} for "
        "the others",
        "overconfidence": f"{model} is surer than right by {points(row['value'])} points for "
        f"{who}, and by {points(row['others'])} for the others",
        "confidence": f"{model} is sure of its answer to {value} for {who}, and to {others} for "
        "the others",
    }.get(measure, f"{model} tells {measure} of {value} of {who}, and of {others} of the others")
    ends = f"{percent(row['low'], True)} to {percent(row['high'], True)}"
    return f"{told}: {percent(row['difference'], True)} points ({ends})."


def points(share: float) -> str:
    return percent(share)


def plain(text: object) -> str:
    """Words of a table of the user, which shall mean nothing in Markdown."""
    return re.sub(r"([\\`*_\[\]<>|#~&!])", r"\\\1", str(text))


def _groups_table(rows: pd.DataFrame) -> list[str]:
    """A line a group: each measure's mean, and the difference from the others if beyond chance."""
    names = [m for m in (*MEASURES, *EMOTIONS) if m in set(rows["measure"])]
    lines = []
    for (column, group), gaps in rows.groupby(["column", "group"], sort=False):
        by_measure = {row["measure"]: row for row in gaps.to_dict("records")}
        cells = [_cell(by_measure[name]) for name in names]
        lines.append([f"{plain(column)}: {plain(group)}", f"{gaps['n'].max():,}", *cells])
    heads = ["group", "faces", *(HEADS.get(name, name) for name in names)]
    return table_lines(heads, lines, 1)


def _cell(row: dict[Any, Any]) -> str:
    value = percent(row["value"])
    return f"**{value} ({percent(row['difference'], True)})**" if row["verdict"] == GAP else value


def _power_table(table: pd.DataFrame, counts: pd.DataFrame) -> list[str]:
    """A line a group: its faces, and the least and the greatest gap that would be seen."""
    lines = []
    sizes = table.groupby(["set", "column", "group"])["detectable"].agg(["min", "max"])
    for row in counts.merge(
        sizes, "left", left_on=["set", "column", "group"], right_index=True, indicator=True
    ).to_dict("records"):
        power = "no verdict"
        if not np.isnan(row["min"]):
            power = f"{points(row['min'])} to {points(row['max'])}"
        elif row["_merge"] == "left_only":
            power = "not compared"
        group = f"{plain(row['column'])}: {plain(row['group'])}"
        lines.append([row["set"], group, f"{row['faces']:,}", power])
    few = int((table["verdict"] == FEW).sum())
    return [
        *table_lines(["set", "group", "faces", "gaps seen with 80% power, in points"], lines, 2),
        "",
        f"Without a verdict, since too few faces could show a gap: {few:,} of {len(table):,} lines "
        "of `audit.csv`.",
    ]
