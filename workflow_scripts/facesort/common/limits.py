"""Limits of use: what an apparent expression is not, and where inferring emotions is forbidden.

Said once, here: every page's foot, the application, its answers, the sidecars' summary and the head
of docs/limits.md have these words. docs/limits.md has the rest, with sources.

Imported by the Snakefile, which every job parses: nothing slow is imported here.
"""

from typing import Final

NOT: Final = (
    "A tag says how a face looks in one picture. It does not say what a person feels, means or is "
    "like, nor if they tell the truth or are well."
)
LAW: Final = (
    "In the European Union no one may use AI to infer emotions at work or in education, but for "
    "medical or safety reasons. In other uses the people shown must be told, unless the use is "
    "purely personal (Regulation (EU) 2024/1689). This is not legal advice."
)
# As one text, where no link can stand.
SHORT: Final = f"{NOT} {LAW}"
MORE: Final = "docs/limits.md"
# The regulation as published; that page leads to the text as it now stands.
LAW_URL: Final = "https://eur-lex.europa.eu/eli/reg/2024/1689/oj"
EVIDENCE_URL: Final = "https://doi.org/10.1177/1529100619832930"
