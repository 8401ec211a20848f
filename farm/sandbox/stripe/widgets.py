"""Pieces of the payment house's pages: a card's fields, an amount, a way on, a paper as PDF."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from aiohttp import web

from farm.sandbox.pages import page

_FIELDS = (
    ("email", "Email", 'type="email" autocomplete="email"'),
    ("number", "Card number", 'inputmode="numeric" autocomplete="cc-number"'),
    ("expiry", "MM / YY", 'autocomplete="cc-exp"'),
    ("cvc", "CVC", 'inputmode="numeric" autocomplete="cc-csc"'),
    ("name", "Name on card", 'autocomplete="cc-name"'),
    ("country", "Country, two letters", 'autocomplete="country" maxlength="2"'),
)


def card_fields(typed: Mapping[str, str], *, vat_id: bool) -> str:
    """What a buyer fills in, with what is known already."""
    asked = (*_FIELDS, ("vat_id", "VAT number", "")) if vat_id else _FIELDS
    return "".join(
        f'<label>{label} <input name="{name}" value="{escape(typed.get(name, ""))}" {more}></label>'
        for name, label, more in asked
    )


def euros(cents: int) -> str:
    """An amount for people."""
    return f"€{cents / 100:.2f}"


def onward(title: str, url: str) -> web.Response:
    """A page that leads on at once; without an address it stays."""
    if not url:
        return page(title, "")
    return page(
        title,
        f'<p><a id="onward" href="{escape(url)}" rel="noreferrer">Go on</a></p>',
        onward=url,
    )


def pdf(lines: Sequence[str]) -> web.Response:
    """One page of text as PDF."""
    shown = [line.encode("latin-1", "replace").decode("latin-1") for line in lines]
    escaped = [line.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)") for line in shown]
    text = "BT /F1 12 Tf 16 TL 50 790 Td " + " ".join(f"({line}) Tj T*" for line in escaped) + " ET"
    content = text.encode("latin-1")
    parts = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources 6 0 R >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        b"<< /Font << /F1 5 0 R >> >>",
    ]
    body, places = b"%PDF-1.4\n", []
    for number, part in enumerate(parts, start=1):
        places.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, part)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    start = len(body)
    body += b"xref\n0 7\n0000000000 65535 f \n" + table
    body += b"trailer\n<< /Size 7 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % start
    return web.Response(body=body, content_type="application/pdf")
