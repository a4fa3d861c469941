"""The table of exported files, and of whole chains from a photo to an answer."""

from typing import Any, Final

import pandas as pd

from facesort.score.intervals import with_interval

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
            f"The smallest chain that keeps within the limits below is `{best['model']}` in "
            f"{best['precision']}: {best['bytes'] / 1e6:.2f} MB, {best['ms']:.1f} ms a face."
        )
    lines = [
        "# Exported models",
        "",
        f"Made from {data}. {said}",
        "",
        f"Times are of one core of {cpu}, in milliseconds of CPU a face, the shortest of several "
        "runs, one face or 32 at a time. Scores are of the scored faces; changes are from float32, "
        "on the same faces, with 95% intervals over images. Equal: faces, of the scored ones and "
        "the pool, that get the answer of float32. Furthest: how far a probability lies from the "
        "workflow's own at most. How to use the files: docs/export.md.",
        "",
        "## Files",
        "",
        "| model | variant | seed | precision | MB | ms, 1 | ms, 32 | faces | accuracy | change "
        "| balanced accuracy | change | equal | of faces | furthest |",
        "| --- " * 15 + "|",
    ]
    lines += [_line(row) for _, row in table.iterrows()]
    lines += [
        "",
        "## From a photo to an answer",
        "",
        f"Face detector (float16, {detector / 1e6:.2f} MB), mesh and movements (those of "
        f"`{LABEL_FREE}`, float16) and classifier together; time without detection. Limits: "
        f"{MOST_BYTES / 1e6:.0f} MB, {MOST_MS:.0f} ms, {100 * MOST_LOST:.1f} points of balanced "
        "accuracy lost.",
        "",
        "| model | variant | seed | precision | MB | ms | change of balanced accuracy | within |",
        "| --- " * 8 + "|",
    ]
    for _, row in together.iterrows():
        cells = [f"`{row['model']}`", row["variant"], row["seed"], row["precision"]]
        cells += ["-", "-"] if pd.isna(row["bytes"]) else _cost(row)
        cells += [with_interval(dict(row), CHANGE, "+.3f"), "yes" if row["kept"] else "no"]
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    if not (table["model"] == LABEL_FREE).any():
        lines += ["", f"Without the row `{LABEL_FREE}` there is no file of mesh and movements."]
    return "\n".join(lines) + "\n"


def _cost(row: Any) -> list[str]:
    return [f"{row['bytes'] / 1e6:.2f}", f"{row['ms']:.1f}"]


def _line(row: Any) -> str:
    cells = [
        f"`{row['model']}`",
        row["variant"],
        row["seed"],
        row["precision"],
        f"{row['bytes'] / 1e6:.2f}",
        f"{row['ms_1']:.1f}",
        f"{row['ms_32']:.1f}",
        f"{row['n']:,}",
        f"{row['accuracy']:.3f}",
        with_interval(dict(row), "accuracy_change", "+.3f"),
        f"{row['balanced_accuracy']:.3f}",
        with_interval(dict(row), "balanced_change", "+.3f"),
        f"{row['equal']:.4f}",
        f"{row['compared']:,}",
        f"{row['furthest']:.1e}",
    ]
    return "| " + " | ".join(map(str, cells)) + " |"
