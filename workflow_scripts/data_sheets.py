"""Rule data_sheets of stage pages.

Say of each set of faces where it is from, what is in it, and what it is used for.
"""

import hashlib
from pathlib import Path

from snakemake.iocontainers import Snakemake

from facesort.common.arrays import read_index, write_whole
from facesort.common.job import job
from facesort.pages.cards import LIMITS, name_of_set, names_of_sets
from facesort.pages.cards_page import cards_page
from facesort.pages.data_sheet import PRESENT, labelled_sheet, other_sheet, pool_sheet, source_words
from facesort.train.models import MODELS

snakemake: Snakemake


def learners(source: str) -> list[str]:
    """The run's models that learn from a set."""
    return [name for name in snakemake.params.models if source in MODELS[name].learns_from]


with job(snakemake.log[0]):
    given, params, output = snakemake.input, snakemake.params, snakemake.output
    names = names_of_sets(params.data)
    doubted = {
        Path(path).stem: int((read_index(path)["presence"] < PRESENT).sum())
        for path in given.presence
    }
    shared = {"size": params.faces["size"], "variants": params.variants, "limits": LIMITS}
    labelled = [read_index(path) for path in given.labelled]
    joins = bool(labelled) and params.faces["train_joins_pool"]
    sheets = [
        pool_sheet(
            name=names["pool"],
            faces=read_index(given.faces),
            ledger=read_index(given.ledger),
            refused=read_index(given.refused),
            unread=read_index(given.unread) if given.unread else None,
            leaks=read_index(given.leaks),
            kept=len(read_index(given.kept)),
            joined=int((labelled[3]["part"] == "train").sum()) if joins else 0,
            digest=hashlib.sha256(Path(given.manifest).read_bytes()).hexdigest(),
            doubted=doubted.get("pool"),
            source=source_words(params.data),
            learners=learners("pool"),
            polite=params.polite,
            **shared,
        )
    ]
    if labelled:
        index, refused, duplicates, split = labelled
        sheets.append(
            labelled_sheet(
                name=names["labelled"],
                index=index,
                refused=refused,
                duplicates=duplicates,
                split=split,
                doubted=doubted.get("labelled"),
                learners=learners("labelled"),
                **shared,
            )
        )
    for number, (name, folder) in enumerate(params.others.items()):
        index, refused, overlap = map(read_index, given.others[3 * number : 3 * number + 3])
        sheets.append(
            other_sheet(
                name=name,
                folder=name_of_set(folder),
                index=index,
                refused=refused,
                overlap=overlap,
                **shared,
            )
        )
    for path, sheet in zip(output.sheets, sheets, strict=True):
        with write_whole(path) as part:
            part.write_text(sheet, encoding="utf-8")
    Path(output.page).write_text(cards_page("Data sheets", sheets), encoding="utf-8")
