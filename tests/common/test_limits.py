"""The words on limits of use: written once, and shown where people meet tags."""

import subprocess
from collections import Counter
from pathlib import Path

from facesort.common import limits
from facesort.serve.limits import Limits
from facesort.serve.openapi import description
from facesort.serve.tag_page import tag_page
from facesort.sidecars.writing import closing_words

ROOT = Path(__file__).resolve().parents[2]


def test_they_are_written_once():
    """docs/limits.md has its head from them; no other file has a sentence of theirs."""
    for words in (limits.NOT, limits.LAW):
        first = words.partition(".")[0]
        command = ["git", "grep", "--no-index", "-lF", first, "--", "*.md", "*.html", "*.yaml"]
        found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True).stdout.split()
        assert found == ["docs/limits.md"]


def test_the_page_has_the_sources():
    page = (ROOT / limits.MORE).read_text(encoding="utf-8")
    assert limits.LAW_URL in page and limits.EVIDENCE_URL in page
    for place in ("Article 3(39)", "Article 5(1)(f)", "Article 50(3)", "Annex III, point 1(c)"):
        assert place in page
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    tagging = readme.partition("## Tag a folder of photographs")[2]
    assert f"]({limits.MORE})" in tagging[:1000]


def test_every_page_and_every_answer_has_them():
    """All templates of whole pages fill the frame; the application's page is tried as it is."""
    templates = sorted((ROOT / "workflow_scripts/facesort").rglob("*.html"))
    texts = {path.stem: path.read_text(encoding="utf-8") for path in templates}
    parts = {name for name, text in texts.items() if "extends" not in text}
    assert parts == {"page", "confusion", "finding"}
    page = tag_page(Limits(), False, False)
    for words in (limits.NOT, limits.LAW, f'href="{limits.LAW_URL}"', limits.MORE):
        assert page.count(words) == 1
    assert limits.SHORT in description(Limits())["info"]["description"]
    assert limits.SHORT in closing_words(Counter(new=1), write=True)
