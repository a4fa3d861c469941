"""How many faces each group has."""

import pandas as pd

from facesort.common.group_table import NOT_TOLD, count_groups


def test_each_face_of_each_set_counts_once_in_each_kind_of_group():
    pool = pd.DataFrame({"sex": ["f", NOT_TOLD, "f"], "age": ["under 13", "under 13", NOT_TOLD]})
    counts = count_groups({"pool": pool, "labelled": pool.head(1)})
    assert counts.groupby(["set", "column"])["faces"].sum().to_dict() == {
        ("pool", "sex"): 3,
        ("pool", "age"): 3,
        ("labelled", "sex"): 1,
        ("labelled", "age"): 1,
    }
    told = counts.set_index(["set", "column", "group"])["faces"]
    assert told["pool", "sex", "f"] == 2 and told["pool", "sex", NOT_TOLD] == 1
