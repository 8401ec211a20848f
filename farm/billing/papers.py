"""A statement on paper: the page's numbers as a PDF, in the language of who asks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext, ngettext
from fpdf import FPDF, XPos, YPos
from fpdf.fonts import FontFace, TTFFont

from farm.billing.amounts import cents
from farm.billing.models import Payer
from farm.billing.statements import PersonCost, Statement

FONT = "Helvetica"
DEJAVU = Path("/usr/share/fonts/truetype/dejavu")
"""Where Debian's package fonts-dejavu-core puts a font that has Latin, Greek and Cyrillic."""
STYLES = {"": "DejaVuSans.ttf", "B": "DejaVuSans-Bold.ttf"}
_PLAIN = str.maketrans(
    {
        "\N{RIGHT SINGLE QUOTATION MARK}": "'",
        "\N{LEFT DOUBLE QUOTATION MARK}": '"',
        "\N{RIGHT DOUBLE QUOTATION MARK}": '"',
        "\N{NARROW NO-BREAK SPACE}": "\N{NO-BREAK SPACE}",
        "\N{EN DASH}": "-",
        "\N{HORIZONTAL ELLIPSIS}": "...",
    }
)


def statement_pdf(statement: Statement, at: datetime, fonts: Path = DEJAVU) -> bytes:
    """A4, net amounts; `at` is when it was made, which the paper says.

    Without a font in `fonts`, letters outside Latin-1 show as a question mark.
    """
    pdf = _Paper(fonts)
    pdf.alias_nb_pages()
    pdf.set_title(_title(statement))
    pdf.add_page()
    _head(pdf, statement, at)
    _table(pdf, statement)
    _foot(pdf, statement)
    return bytes(pdf.output())


def file_name(statement: Statement, ending: str) -> str:
    """What it is saved as: statement-2026-11-<uid>.pdf."""
    return f"statement-{statement.month:%Y-%m}-{statement.payer.uid}.{ending}"


def notes_of(statement: Statement) -> Sequence[str]:
    """What must be said beside the numbers, on the page and on paper."""
    notes = [
        _what_it_is(statement.payer),
        gettext(
            "Counted in millionths. Each amount shown is rounded once, half a cent up, so rounded"
            " parts may differ from their rounded sum by a cent."
        ),
    ]
    if statement.fee:
        text = gettext("The totals include the farm's fee on machines: %(fee)s.")
        notes.append(text % {"fee": cents(statement.fee, statement.currency)})
    if statement.unseen:
        text = gettext(
            "Of the AI, %(unseen)s is for calls that were cut off before their use was known; they"
            " are counted at what they may have cost at most."
        )
        notes.append(text % {"unseen": cents(statement.unseen, statement.currency)})
    return notes


def _what_it_is(payer: Payer) -> str:
    if payer.kind == Payer.Kind.WALLET:
        return gettext(
            "A statement, not an invoice: it is taken from what was paid in. Amounts are before"
            " VAT."
        )
    if payer.kind == Payer.Kind.INVOICE:
        return gettext(
            "A statement, not an invoice: the bill of the month is that. Amounts are before VAT."
        )
    return gettext("A statement, not an invoice: nothing is collected. Amounts are before VAT.")


class _Paper(FPDF):
    """Pages with their number below, in DejaVu Sans where it is installed."""

    def __init__(self, fonts: Path) -> None:
        super().__init__(format="A4")
        self.written_in = FONT
        if all((fonts / file).exists() for file in STYLES.values()):
            self.written_in = "DejaVu"
            for style, file in STYLES.items():
                self.add_font(self.written_in, style, fonts / file)

    def plain(self, text: str) -> str:
        """What the font can show: every PDF reader's own one has Latin-1, the rest becomes "?"."""
        text = text.translate(_PLAIN)
        if self.written_in == FONT:
            return text.encode("latin-1", "replace").decode("latin-1")
        return "".join(letter if self._has(letter) else "?" for letter in text)

    def plains(self, texts: Sequence[str]) -> Sequence[str]:
        """Each of them as `plain`."""
        return [self.plain(text) for text in texts]

    def _has(self, letter: str) -> bool:
        font = self.fonts[self.written_in.lower()]
        return isinstance(font, TTFFont) and ord(letter) in font.cmap

    def footer(self) -> None:
        """The number of this page, of all."""
        self.set_y(-15)
        self.set_font(self.written_in, size=8)
        self.cell(0, 10, f"{self.page_no()} / {{nb}}", align="C")


def _head(pdf: _Paper, statement: Statement, at: datetime) -> None:
    pdf.set_font(pdf.written_in, "B", 18)
    _line(pdf, _title(statement), 10)
    pdf.set_font(pdf.written_in, size=11)
    _line(pdf, gettext("Payer: %(payer)s") % {"payer": statement.payer.name}, 6)
    made = date_format(timezone.localtime(at), "DATETIME_FORMAT")
    _line(pdf, gettext("Made on %(at)s (UTC)") % {"at": made}, 6)
    pdf.ln(4)


def _title(statement: Statement) -> str:
    month = date_format(statement.month, "F Y")
    return gettext("Statement for %(month)s") % {"month": month}


def _table(pdf: _Paper, statement: Statement) -> None:
    pdf.set_font(pdf.written_in, size=9)
    aligned = ("LEFT", "RIGHT", "RIGHT", "RIGHT", "RIGHT")
    bold = FontFace(emphasis="BOLD")
    with pdf.table(col_widths=(46, 12, 14, 14, 14), text_align=aligned, line_height=6) as table:
        table.row(pdf.plains(_columns()))
        for person in statement.people:
            table.row(pdf.plains(_person(person, statement.currency)), style=bold)
            for row in _agents(person, statement.currency):
                table.row(pdf.plains(row))
        table.row(pdf.plains(_total(statement)), style=bold)


def _columns() -> Sequence[str]:
    return (
        gettext("For whom"),
        gettext("Hours"),
        gettext("Machine"),
        gettext("AI"),
        gettext("Total"),
    )


def _person(person: PersonCost, currency: str) -> Sequence[str]:
    name = f"{person.email} - {person.cost_centre}" if person.cost_centre else person.email
    sums = [cents(micros, currency) for micros in (person.machine, person.ai, person.total)]
    return [name, "", *sums]


def _agents(person: PersonCost, currency: str) -> Iterator[Sequence[str]]:
    for agent in person.agents:
        sums = [cents(micros, currency) for micros in (agent.machine, agent.ai, agent.total)]
        yield [f"   {agent.name} ({agent.uid})", str(agent.hours), *sums]


def _total(statement: Statement) -> Sequence[str]:
    people = ngettext("%(n)s person", "%(n)s people", len(statement.people))
    sums = (statement.machine, statement.ai, statement.total)
    counted = people % {"n": len(statement.people)}
    return [counted, "", *(cents(micros, statement.currency) for micros in sums)]


def _foot(pdf: _Paper, statement: Statement) -> None:
    pdf.ln(4)
    pdf.set_font(pdf.written_in, size=9)
    for note in notes_of(statement):
        pdf.multi_cell(0, 5, pdf.plain(note), new_x=XPos.LMARGIN, new_y=YPos.NEXT)


def _line(pdf: _Paper, text: str, height: float) -> None:
    pdf.cell(0, height, pdf.plain(text), new_x=XPos.LMARGIN, new_y=YPos.NEXT)
