"""The table of exported files, and of whole chains from a photo to an answer."""

from typing import Any, Final

import pandas as pd

from facesort.score.markdown import percent, table_lines, with_interval

# What item 2 of the paper's next steps was taken to ask: bytes, points of balanced accuracy, ms.
MOST_BYTES: Final = 6_000_000
MOST_LOST: Final = 0.005
MOST_MS: Final = 15.0
# The file that finds landmarks and movements, for models that see none themselves.
LABEL_FREE: Final = "action_units"
CHANGE: Final = "balanced_change"


def chains(table: pd.DataFrame, detector: int) -> pd.DataFrame:
    """What a program needs to answer for a photo: detector, mesh, movements and classifier.

    Args:
        table: rows as of ``trial.try_files``, with model, variant and seed.
        detector: bytes of its file.

    Returns:
        A row a row of ``table`` in float16 or int8: bytes together and ms a face, detection apart.
        The mesh and the movements are those of the row ``action_units`` in float16; NaN without it.
    """
    shared = table[(table["model"] == LABEL_FREE) & (table["precision"] == "float16")]
    rows = []
    for _, row in table[table["precision"] != "float32"].iterrows():
        size, ms = detector + row["bytes"], row["ms_1"]
        if row["model"] != LABEL_FREE:
            size += shared["bytes"].iloc[0] if len(shared) else float("nan")
            ms += shared["ms_1"].iloc[0] if len(shared) else float("nan")
        about = {name: row[name] for name in ("model", "variant", "seed", "precision")}
        changed = {f"{CHANGE}{end}": row[f"{CHANGE}{end}"] for end in ("", "_low", "_high")}
        kept = size <= MOST_BYTES and ms <= MOST_MS and row[CHANGE] >= -MOST_LOST
        rows.append({**about, "bytes": size, "ms": ms, **changed, "kept": kept})
    return pd.DataFrame(rows)


def export_markdown(table: pd.DataFrame, detector: int, *, data: str, cpu: str) -> str:
    """Both tables for reading.

    Args:
        table, detector: as of ``chains``.
        data: what the run is made from.
        cpu: what the times are of.
    """
    together = chains(table, detector)
    least = together[together["kept"]]
    said = "No chain keeps within the limits below."
    if len(least):
        best = least.sort_values("bytes").iloc[0]
        said = (
            f"The smallest chain within the limits below is {best['model']} in "
            f"{best['precision']}: {best['bytes'] / 1e6:.2f} MB, {best['ms']:.1f} ms per face."
        )
    headers = ["model, variant", "seed", "precision", "MB", "ms, 1 face", "ms, 32", "accuracy"]
    headers += ["change", "balanced", "change of it", "equal", "furthest", "scored", "compared"]
    lines = [
        said,
        "",
        "### Files",
        "",
        *table_lines(headers, [_file(row) for row in table.to_dict("records")], 3),
        "",
        f"- Data: {data}. Scores and changes are in percent. Changes are from float32, on the same "
        "scored faces, with 95% intervals over images.",
        f"- Times are of one core of {cpu}: milliseconds of CPU per face, the shortest of several "
        "runs, with one face or 32 at a time.",
        "- Equal: percent of faces, scored ones and some of the pool, with the same answer as "
        "float32. Furthest: the largest difference of a probability from the workflow's own.",
        "- How to use the files: docs/export.md.",
        "",
        "### From a photo to an answer",
        "",
        *table_lines(
            ["model, variant", "seed", "precision", "MB", "ms", "change of balanced", "within"],
            [_chain(row) for row in together.to_dict("records")],
            3,
        ),
        "",
        f"- Face detector (float16, {detector / 1e6:.2f} MB), mesh and movements (those of "
        f"{LABEL_FREE}, float16) and classifier together. The time is without detection.",
        f"- Limits: {MOST_BYTES / 1e6:.0f} MB, {MOST_MS:.0f} ms, {100 * MOST_LOST:.1f} points of "
        "balanced accuracy lost.",
    ]
    if not (table["model"] == LABEL_FREE).any():
        lines.append(f"- Without the row {LABEL_FREE} there is no file of mesh and movements.")
    return "\n".join([*lines, ""])


def _chain(row: dict[Any, Any]) -> list[Any]:
    known = not pd.isna(row["bytes"])
    return [
        *(f"{row['model']}, {row['variant']}", row["seed"], row["precision"]),
        f"{row['bytes'] / 1e6:.2f}" if known else "-",
        f"{row['ms']:.1f}" if known else "-",
        with_interval(row, CHANGE, signed=True),
        "yes" if row["kept"] else "no",
    ]


def _file(row: dict[Any, Any]) -> list[Any]:
    return [
        *(f"{row['model']}, {row['variant']}", row["seed"], row["precision"]),
        f"{row['bytes'] / 1e6:.2f}",
        f"{row['ms_1']:.1f}",
        f"{row['ms_32']:.1f}",
        percent(row["accuracy"]),
        with_interval(row, "accuracy_change", signed=True),
        percent(row["balanced_accuracy"]),
        with_interval(row, "balanced_change", signed=True),
        f"{100 * row['equal']:.2f}",
        f"{row['furthest']:.1e}",
        *(f"{row['n']:,}", f"{row['compared']:,}"),
    ]
