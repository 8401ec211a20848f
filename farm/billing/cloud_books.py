"""Reads what the sandbox's clouds would have charged, as `farm sandbox invoice --json` has it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import TypedDict, cast

from django.utils.translation import gettext as _

from farm.billing.cloud_files import WORDS, CloudFile, Read, kind_called, refused


class _Line(TypedDict):
    kind: str
    id: int | str
    server: int | str | None
    name: str
    month: str
    hours: int
    micros: int


class _Books(TypedDict):
    currency: str
    until: str
    lines: list[_Line]


def read_books(text: str, provider: str) -> Sequence[CloudFile]:
    """Each cloud's part, or that of one; Refused for anything else than such an invoice."""
    try:
        said = cast(Mapping[str, _Books], json.loads(text))
        chosen = [name for name in said if provider in ("", name)]
        return [_file(name, said[name]) for name in chosen]
    except (ValueError, KeyError, TypeError, AttributeError):
        sentence = _(
            "This is no invoice of the sandbox: write one with `farm sandbox invoice --json`."
        )
        raise refused(sentence) from None


def _file(name: str, books: _Books) -> CloudFile:
    until = datetime.fromisoformat(books["until"])
    return CloudFile(name, books["currency"], until, tuple(_rows(books["lines"])))


def _rows(lines: Sequence[_Line]) -> Iterator[Read]:
    names = {line["server"]: line["name"] for line in lines if line["kind"] == "server"}
    for number, line in enumerate(lines, start=1):
        kind = kind_called(line["kind"])
        # An address is known by the machine that it came with.
        own = () if line["kind"] in WORDS else (str(line["id"]),)
        made_for = () if kind == "snapshot" else (str(line["server"] or ""),)
        name = str(line.get("server_name") or names.get(line["server"]) or line["name"])
        yield Read(
            line=number,
            words=tuple(filter(None, (*made_for, *own, name))),
            resource=name[:200],
            kind=kind,
            month=date.fromisoformat(f"{line['month']}-01"),
            hours=int(line["hours"]),
            micros=int(line["micros"]),
            step_micros=1,
        )
