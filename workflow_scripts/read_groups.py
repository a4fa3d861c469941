"""Rule read_groups of stage faces.

Which groups of people the faces of the pool and the labelled faces belong to, by the user's table.
"""

import pandas as pd
from snakemake.iocontainers import Snakemake

from facesort.common.arrays import read_index, write_index, write_whole
from facesort.common.group_table import NOT_TOLD, count_groups
from facesort.common.job import job
from facesort.common.trees import shown
from facesort.faces.groups import match_groups, read_groups

snakemake: Snakemake

with job(snakemake.log[0]):
    params, inputs, output = snakemake.params, snakemake.input, snakemake.output
    table = read_groups(str(inputs.groups), params.columns, params.bands)
    kept = read_index(inputs.kept)["face"]
    sets = {"pool": read_index(inputs.pool).iloc[kept].reset_index(drop=True)}
    if inputs.labelled:
        sets["labelled"] = read_index(inputs.labelled)
    groups = match_groups(table, sets, shown(str(inputs.groups)))
    if inputs.joined:
        # The pool's own rows, then those of the training part, as in the pool's array. Their labels
        # teach, so they are of no group: an audit does not count them.
        taught = int((read_index(inputs.joined)["part"] == "train").sum())
        rest = pd.DataFrame(NOT_TOLD, index=range(taught), columns=groups["pool"].columns)
        groups["pool"] = pd.concat([groups["pool"], rest], ignore_index=True)
    for name, path in zip(groups, output.groups, strict=True):
        write_index(groups[name], path)
    with write_whole(output.counts) as part:
        count_groups(groups).to_csv(part, index=False)
