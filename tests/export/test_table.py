"""The table of exported files and of whole chains."""

import pandas as pd

from facesort.export.table import chains, export_markdown


def rows(model, sizes, times, changes):
    return pd.DataFrame(
        {
            "model": model,
            "variant": "rgb",
            "seed": 0,
            "precision": ["float32", "float16", "int8"],
            "bytes": sizes,
            "ms_1": times,
            "ms_32": times,
            "n": 1000,
            "accuracy": 0.5,
            "balanced_accuracy": 0.4,
            **{
                f"{n}{e}": changes
                for n in ("accuracy_change", "balanced_change")
                for e in ("", "_low", "_high")
            },
            "compared": 16_000,
            "equal": 0.99,
            "furthest": 1e-5,
        }
    )


LABEL_FREE = rows(
    "action_units", [7_000_000, 3_600_000, 3_000_000], [9.0, 9.0, 8.0], [0, -0.001, -0.2]
)
SUPERVISED = rows("supervised", [2_500_000, 1_300_000, 700_000], [2.0, 2.0, 1.0], [0, 0.0, -0.004])


def test_a_chain_is_detector_mesh_movements_and_classifier():
    both = chains(pd.concat([LABEL_FREE, SUPERVISED]), 900_000)
    found = both.set_index(["model", "precision"])
    assert found.loc[("action_units", "float16"), "bytes"] == 4_500_000
    assert found.loc[("supervised", "int8"), "bytes"] == 900_000 + 3_600_000 + 700_000
    assert found.loc[("supervised", "int8"), "ms"] == 10.0
    kept = both.set_index(["model", "precision"])["kept"]
    # Each limit says no by itself: points lost by the first, bytes and time below.
    assert kept.to_dict() == {
        ("action_units", "float16"): True,
        ("action_units", "int8"): False,
        ("supervised", "float16"): True,
        ("supervised", "int8"): True,
    }
    assert not chains(LABEL_FREE, 2_500_000)["kept"].any()
    assert not chains(LABEL_FREE.assign(ms_1=15.1), 900_000)["kept"].any()


def test_without_the_label_free_row_there_is_no_chain():
    both = chains(SUPERVISED, 900_000)
    assert both["bytes"].isna().all() and not both["kept"].any()
    text = export_markdown(SUPERVISED, 900_000, data="faces", cpu="a processor")
    assert "No chain keeps" in text and "there is no file of mesh and movements" in text


def test_the_page_says_the_finding_first():
    table = pd.concat([LABEL_FREE, SUPERVISED])
    text = export_markdown(table, 900_000, data="faces of tests", cpu="a processor")
    assert text.startswith("The smallest chain within the limits below is action_units in float16")
    assert "4.50 MB, 9.0 ms per face" in text and "Data: faces of tests." in text
    assert text.count("| supervised, rgb ") == 5 and "-20.0 [-20.0, -20.0]" in text
    assert "nan" not in text
