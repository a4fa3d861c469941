"""What photographs of others say of looks that no label tells."""

import pandas as pd
import pytest

from facesort.archive.photographed import TABLE, on_photographs
from facesort.archive.tables import LOOKS
from facesort.archive.tags import built_in


def test_looks_that_were_wrong_on_photographs_of_others_are_not_given():
    table = on_photographs(built_in())
    tried = pd.read_csv(TABLE, index_col="tag")
    assert set(tried.index) == set(LOOKS.values())
    given = table["threshold"].notna()
    assert given["looks happy"] and not given["looks contemptuous"]
    for name, row in tried[tried["faces"] > 0].iterrows():
        share = row["right"] / row["faces"]
        assert table["right"][name] == pytest.approx(share) and given[name] == (share >= 0.5)
    apparent = built_in().drop(index=list(LOOKS.values()))
    pd.testing.assert_frame_equal(table.loc[apparent.index], apparent)
