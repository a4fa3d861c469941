"""Rule audit_groups of stage audit.

Groups of people set side by side: what every row answers about each, and how often it is right.
"""

from pathlib import Path

import numpy as np
from snakemake.iocontainers import Snakemake

from facesort.audit.changes import READ, changes, changes_lines
from facesort.audit.figure import plot_audit
from facesort.audit.gap_table import Faces, make_audit
from facesort.audit.group_answers import Answers, by_probabilities, joined, of_clustering
from facesort.audit.report import audit_markdown
from facesort.cluster.kmeans import load_clustering
from facesort.common.arrays import open_array, read_index
from facesort.common.drawing import save
from facesort.common.emotions import EMOTIONS
from facesort.common.group_table import count_groups
from facesort.common.job import job
from facesort.common.reading import read_table
from facesort.faces.facs import PRESENT
from facesort.score.elsewhere.answers import votes_of_neighbours

snakemake: Snakemake

with job(snakemake.log[0]):
    params, inputs, output = snakemake.params, snakemake.input, snakemake.output
    groups = dict(zip(("pool", "test"), map(read_index, inputs.groups), strict=False))
    presence = {"pool": inputs.pool_presence, "test": inputs.labelled_presence}
    labels, test, train = np.zeros(0, str), np.zeros(0, int), np.zeros(0, int)
    if inputs.index:
        labels = read_index(inputs.index)["label"].to_numpy(str)
        parts = read_index(inputs.split, rows=len(labels))["part"]
        test, train = (np.flatnonzero(parts == part) for part in ("test", "train"))
        groups["test"] = groups["test"].iloc[test].reset_index(drop=True)
    rows_of = {"pool": np.arange(len(groups["pool"])), "test": test}
    sets = {
        name: Faces(
            of_set,
            {
                variant: read_index(path)["presence"].to_numpy()[rows_of[name]] > PRESENT
                for variant, path in zip(params.variants, presence[name], strict=True)
            },
            labels[test] if name == "test" else None,
        )
        for name, of_set in groups.items()
    }
    seeds: dict[tuple[str, str], list[dict[str, Answers]]] = {}
    # In the order of the cells that have them.
    pools, labelled, names = iter(inputs.pools), iter(inputs.labelled), iter(inputs.names)
    voters = iter(inputs.voters)
    for cell in params.cells:
        if cell["model"] in params.clustered:
            named = read_table(next(names), "cluster", "emotion")
            answers = of_clustering(load_clustering(next(pools)), named, test)
        else:
            told = open_array(next(pools))
            if cell["model"] in params.neighbours:
                known = np.array([EMOTIONS.index(label) for label in labels])
                told = votes_of_neighbours(told, open_array(next(voters)), known, train)
            answers = {"pool": by_probabilities(told)}
            answers["test"] = by_probabilities(open_array(next(labelled))[test])
        seeds.setdefault((cell["model"], cell["variant"]), []).append(answers)
    rows = {
        row: {name: joined([one[name] for one in of_row]) for name in sets}
        for row, of_row in seeds.items()
    }
    table = make_audit(rows, set(params.sees_landmarks), sets, params.smallest)
    table.to_csv(output.csv, index=False)
    since = None
    if inputs.before:
        since = changes_lines(changes(table, read_table(inputs.before, *READ)))
    text = audit_markdown(
        table,
        count_groups(groups),
        data=params.data,
        smallest=params.smallest,
        seeds=max(map(len, seeds.values())),
        since=since,
    )
    Path(output.md).write_text(text, encoding="utf-8")
    save(plot_audit(table), output.figure)
    print(text.partition("\n")[0])
