"""Prototypes: which action units people show in a face that others call by an emotion.

``prototypes.csv`` has them, a row a source and unit: in percent, how many of those who show the
emotion show the unit. Blank is a unit that the source does not name, or an emotion that it does not
know at all. The file may be edited; what is made by it then runs anew.

EMFACS: the prototypes of Friesen & Ekman, *EMFACS-7* (1983), and of Ekman, Friesen & Hager, *Facial
Action Coding System: Investigator's Guide* (2002), table 10-1; contempt's one-sided 12 and 14 of
Matsumoto & Ekman, J. Pers. Soc. Psychol. 87 (2004). Du 2014: table 1 of Du, Tao & Martinez,
*Compound facial expressions of emotion* (https://doi.org/10.1073/pnas.1322355111): what 230 persons
showed; units of more than 70 of 100 are given without a figure there, and count as 85 here.
"""

from pathlib import Path
from typing import Final

import pandas as pd

from facesort.common.emotions import EMOTIONS

TABLE: Final = Path(__file__).with_suffix(".csv")
# No unit is always shown, or never.
LEAST, MOST = 0.05, 0.9


def shares() -> pd.DataFrame:
    """The share of faces of an emotion that show a unit: the mean of the sources that know it.

    Returns:
        A row a unit, indexed by its name ("4", "12 on one side"); a column an emotion of
        ``EMOTIONS``, 0 to 1.
    """
    table = pd.read_csv(TABLE, dtype={"unit": str}).set_index(["source", "unit"])[list(EMOTIONS)]
    units = table.index.get_level_values("unit").unique()
    known = []
    for _, rows in table.groupby("source"):
        told = (rows.droplevel("source") / 100).reindex(units)
        unknown = told.columns[told.isna().all()]
        known.append(told.fillna(0).clip(LEAST, MOST).drop(columns=unknown))
    return pd.concat(known).groupby(level="unit", sort=False).mean()[list(EMOTIONS)]
