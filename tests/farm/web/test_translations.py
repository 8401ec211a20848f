"""Every sentence of the farm is there in French."""

from __future__ import annotations

import io
import re
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.pofile import read_po
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parents[3]
FRENCH = ROOT / "farm/locale/fr/LC_MESSAGES/django.po"
KEYWORDS = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
}
PLACE = re.compile(r"%\(\w+\)s|\{\w+\}")


def sentences() -> set[str]:
    """What the code and the templates say, in English; of a plural, its singular."""
    found: set[str] = set()
    for path in (ROOT / "farm").rglob("*.py"):
        found |= _extracted(path.read_text())
    for path in (ROOT / "templates").rglob("*"):
        if path.is_relative_to(ROOT / "templates/html") or path.suffix == ".txt":
            found |= _extracted(templatize(path.read_text())) if path.is_file() else set()
    return found


def _extracted(code: str) -> set[str]:
    lines = extract("python", io.BytesIO(code.encode()), keywords=KEYWORDS)
    return {text if isinstance(text, str) else text[0] for _, text, _, _ in lines}


def french() -> Catalog:
    """The catalogue as it is committed."""
    with FRENCH.open("rb") as file:
        return read_po(file, locale="fr")


def test_every_sentence_is_translated() -> None:
    catalog = french()
    missing = [text for text in sentences() if not (said := catalog.get(text)) or not said.string]
    assert missing == [], "run the makemessages line on top of the .po file, then translate"


def test_no_translation_is_doubtful_or_loses_a_value() -> None:
    for message in french():
        assert not message.fuzzy or not message.id, message.id
        english = message.id if isinstance(message.id, tuple) else (message.id,)
        said = message.string if isinstance(message.string, tuple) else (message.string,)
        if message.id:
            values = [set(PLACE.findall(text)) for text in (*english, *said)]
            assert all(value == values[0] for value in values), message.id
