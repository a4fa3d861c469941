"""Cards read back: their tables, and what stands in their lists."""

import re


def tables(card):
    """A card's tables in order: of each its rows as {header: cell}, without code's marks."""
    found = []
    for block in re.findall(r"(?:^\|.*\n)+", card, re.M):
        lines = [
            [cell.strip().strip("`") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
            for line in block.splitlines()
        ]
        headers, ruler, *rows = lines
        assert all(re.fullmatch(":?-+:?", cell) for cell in ruler)
        found.append([dict(zip(headers, row, strict=True)) for row in rows])
    return found


def table(card, header):
    """The one table of a card that has a header."""
    (found,) = (rows for rows in tables(card) if rows and header in rows[0])
    return found


def items(card, heading):
    """The items below a heading of any level."""
    body = re.search(rf"^#+ {re.escape(heading)}\n(.*?)(?=^#|\Z)", card, re.M | re.S)[1]
    return re.findall(r"^- (.*)$", body, re.M)


def figure(text):
    """The first number of a cell, such as 33.4 of "33.4 [28.5, 38.8]", or 1234 of "1,234"."""
    return float(re.match(r"[+-]?[\d,]*\.?\d+(?:e[+-]\d+)?", text)[0].replace(",", ""))
