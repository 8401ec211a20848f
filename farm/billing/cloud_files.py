"""Reads what clouds hand out as invoices: Hetzner's itemised CSV, a plain CSV, the sandbox's JSON.

Hetzner's columns, as the CSV of its itemised invoices has them since October 2024: grouping,
product, description, reference, quantity, from, until, condition, unit, external id, price, total;
amounts are net, "€ 4.9900". The plain one has the columns resource, kind, month, hours and net.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation

from django.utils.translation import gettext as _

from farm.accounts.refusals import Refused
from farm.billing.models import Kind

MICROS = 1_000_000
HETZNER, PLAIN = ("product", "external id", "from", "total"), ("resource", "kind", "month", "net")
MOST_BYTES = 64 * 1024 * 1024
PRODUCTS = (
    ("ipv4", Kind.IPV4),
    ("primary ip", Kind.IPV4),
    ("snapshot", Kind.SNAPSHOT),
    ("backup", Kind.BACKUP),
    ("volume", Kind.VOLUME),
    ("traffic", Kind.TRAFFIC),
    ("server", Kind.SERVER),
)
"""What of a product's name tells its kind; the first that is in it."""
WORDS = {"primary_ip": Kind.IPV4}
Row = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Read:
    """One line of an invoice as it stands there; `words` are ids and names by which it is known.

    `kind` is "" for what the farm has no name for.
    """

    line: int
    words: tuple[str, ...]
    resource: str
    kind: str
    month: date
    hours: int | None
    micros: int
    step_micros: int


@dataclass(frozen=True, slots=True)
class CloudFile:
    """One cloud's part of a file. `until` is up to when it reaches, None for whole months."""

    provider: str
    currency: str
    until: datetime | None
    rows: tuple[Read, ...]


def read_csv(text: str, provider: str) -> CloudFile:
    """Either CSV, told apart by its first line; Refused names the line that cannot be read."""
    reader = csv.DictReader(io.StringIO(text), strict=True)
    try:
        columns = [column.strip().lower() for column in reader.fieldnames or ()]
        row_of = _reader_for(columns)
        reader.fieldnames = columns
        rows = tuple(_rows(reader, row_of))
    except csv.Error:
        raise broken(reader.line_num, _("its quotes do not close")) from None
    if not rows:
        raise refused(_("There is no line of an invoice in this file: download it again."))
    return CloudFile(provider, "EUR", None, rows)


def broken(line: int, why: str) -> Refused:
    """That line is to blame; nothing of the file is kept."""
    text = _(
        "Line {line} cannot be read: {why}. Correct it, or download the file again; nothing of"
        " it was kept."
    )
    return refused(text.format(line=line, why=why))


def refused(sentence: str) -> Refused:
    """The file is to blame."""
    return Refused("file", "invoice_file", sentence)


def kind_called(word: str) -> str:
    """Its kind by the word for it, "" for one that the farm has no price for."""
    known = WORDS.get(word.strip().lower(), word.strip().lower())
    return str(known) if known in Kind.values else ""


def _reader_for(columns: Sequence[str]) -> Callable[[int, Row], Read]:
    if set(HETZNER) <= set(columns):
        return _hetzners
    if set(PLAIN) <= set(columns):
        return _plain
    text = _(
        "This is no invoice that the farm can read: its first line must have the columns {plain},"
        " or those of Hetzner's itemised invoice: {hetzner}."
    )
    raise refused(text.format(plain=", ".join(PLAIN), hetzner=", ".join(HETZNER)))


def _rows(reader: csv.DictReader[str], row_of: Callable[[int, Row], Read]) -> Iterator[Read]:
    for row in reader:
        if None in row or None in row.values():
            raise broken(reader.line_num, _("it has not as many columns as the first"))
        yield row_of(reader.line_num, row)


def _hetzners(line: int, row: Row) -> Read:
    product = row["product"].lower()
    kind = next((str(kind) for word, kind in PRODUCTS if word in product), "")
    told = [row.get(column, "").strip() for column in ("description", "reference")]
    own = row["external id"].strip()
    # An address has an id of its own, which may be another thing's.
    words = told if kind == Kind.IPV4 else [own, *told]
    micros, step = _amount(line, row["total"])
    quantity, unit = row.get("quantity", ""), row.get("unit", "").lower()
    return Read(
        line=line,
        words=tuple(filter(None, words)),
        resource=" ".join(filter(None, (row["product"].strip(), own, *told)))[:200],
        kind=kind,
        month=_month(line, row["from"]),
        hours=_hours(line, quantity) if unit.startswith("hour") else None,
        micros=micros,
        step_micros=step,
    )


def _plain(line: int, row: Row) -> Read:
    micros, step = _amount(line, row["net"])
    resource = row["resource"].strip()[:200]
    if not kind_called(row["kind"]):
        known = ", ".join(Kind.values)
        raise broken(line, _("its kind is none of {known}").format(known=known))
    return Read(
        line=line,
        words=(resource,),
        resource=resource,
        kind=kind_called(row["kind"]),
        month=_month(line, row["month"]),
        hours=_hours(line, row["hours"]) if row.get("hours", "").strip() else None,
        micros=micros,
        step_micros=step,
    )


def _month(line: int, word: str) -> date:
    try:
        return date.fromisoformat(f"{word.strip()[:7]}-01")
    except ValueError:
        raise broken(line, _('"{word}" is no month such as 2026-11').format(word=word)) from None


def _hours(line: int, word: str) -> int:
    hours = _decimal(word.strip())
    if hours is not None and 0 <= hours < MICROS:
        return int(hours.to_integral_value())
    raise broken(line, _('"{word}" is no number of hours').format(word=word))


def _amount(line: int, word: str) -> tuple[int, int]:
    """In micros, and how finely that is known: by as many decimals as it is written with."""
    bare = word.replace("€", "").replace("EUR", "").strip()
    written = bare.replace(",", ".") if "." not in bare else bare.replace(",", "")
    amount = _decimal(written)
    if amount is None or abs(amount) > MICROS * MICROS:
        raise broken(line, _('"{word}" is no amount such as 4.99').format(word=word))
    places = max(0, -int(amount.as_tuple().exponent))
    return int(amount * MICROS), 10 ** max(0, 6 - places)


def _decimal(word: str) -> Decimal | None:
    try:
        value = Decimal(word)
    except InvalidOperation:
        return None
    return value if value.is_finite() else None
