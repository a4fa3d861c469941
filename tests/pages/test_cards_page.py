"""The page of cards: each card's finding first, the rest folded, hostile text as text."""

import re

from facesort.pages.cards import plain
from facesort.pages.cards_page import cards_page

HOSTILE = '</details><script>x</script><img src=x onerror="x">'
CARD = f"""---
license: other
name: '{HOSTILE}'
---

# Card of {plain(HOSTILE)}

Right in **half**.

More {HOSTILE}

## Part

| a | b |
| --- | --- |
| 1 | 2 |

### Smaller

- [x](javascript:y)
"""


def test_a_card_shows_its_finding_and_folds_the_rest():
    page = cards_page("Cards", [CARD, "# Second\n\nIts finding.\n\nIts body.\n"])
    main = re.search("<main.*</main>", page, re.S)[0]
    first, second = re.findall(r"<section class=\"card\">(.*?)</section>", main, re.S)
    seen, folded = first.split("<details>")
    assert "<h2>Card of " in seen and "Right in <strong>half</strong>" in seen
    assert "<h3>Part</h3>" in folded and "<h4>Smaller</h4>" in folded
    assert 'class="scroll" tabindex="0"' in folded and "<td>2</td>" in folded
    assert "license: other" in folded and "What model hubs read" in folded
    assert "<h2>Second</h2>" in second and "What model hubs read" not in second
    assert "Its body." in second.split("<details>")[1]
    assert len(re.findall("<h1", page)) == 1 and page.count("</details>") == 2


def test_hostile_text_stays_text():
    page = cards_page(HOSTILE, [CARD])
    assert "<script>x" not in page and "<img" not in page and 'href="javascript' not in page
    assert page.count("&lt;script&gt;") >= 4
