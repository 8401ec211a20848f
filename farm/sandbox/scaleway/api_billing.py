"""The API's doors to what Scaleway charges: consumption, charges one by one, invoices by month.

All of it is read from the cloud's own invoice; taxes are none.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from aiohttp import web

from farm.sandbox.scaleway.calls import Call, answered, counted
from farm.sandbox.scaleway.errors import invalid
from farm.sandbox.scaleway.invoice import Invoice, InvoiceLine, invoice_of
from farm.sandbox.wire import Json, JsonObject

MICROS = 1_000_000
NANOS_OF_A_MICRO = 1000
MOST_CHARGES = 100
CATEGORIES = {
    "server": ("Compute", "Instance", "/compute"),
    "ipv4": ("Network", "Instance IPv4", "/compute/ipv4"),
    "volume": ("Storage", "Block Storage", "/storage/block/sbs_5k"),
    "snapshot": ("Storage", "Block Storage Snapshot", "/storage/block/sbs_5k_snapshot"),
}
_SPACE = uuid.UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8")


async def list_consumptions(call: Call) -> web.Response:
    """What was used in a month, this one unless another is asked for."""
    lines, wanted = _lines(call), call.wish("category_name")
    month = _month(call) or f"{call.cloud.books.now():%Y-%m}"
    chosen = [
        _consumption(call, line)
        for line in lines
        if line.month == month and wanted in ("", CATEGORIES[line.kind][0])
    ]
    body: JsonObject = {
        "consumptions": call.page(chosen, "page_size"),
        "total_count": len(chosen),
        "total_discount_untaxed_value": 0.0,
        "updated_at": _moment(call.cloud.books.now()),
    }
    return answered(body)


async def list_charges(call: Call) -> web.Response:
    """What each thing cost, month by month; pages follow each other by a token."""
    asked = {name: call.url.query.getall(name, []) for name in ("resource_ids", "project_ids")}
    chosen = [
        line
        for line in _lines(call)
        if (not asked["resource_ids"] or line.id in asked["resource_ids"])
        and (not asked["project_ids"] or call.project.uid in asked["project_ids"])
    ]
    start = int(call.wish("page_token")) if call.wish("page_token").isdecimal() else 0
    left = chosen[start : start + MOST_CHARGES]
    following = str(start + MOST_CHARGES) if start + MOST_CHARGES < len(chosen) else None
    charges: list[Json] = [_charge(call, line) for line in left]
    return answered({"charges": charges, "next_page_token": following})


async def list_invoices(call: Call) -> web.Response:
    """One for each month in which anything was charged; this month's is a draft."""
    invoice = _invoice(call)
    months = dict.fromkeys(line.month for line in invoice.lines)
    return counted(call, "invoices", [_month_json(call, invoice, month) for month in months])


async def list_taxes(call: Call) -> web.Response:
    """None."""
    return counted(call, "taxes", [])


def _invoice(call: Call) -> Invoice:
    call.check_project("project_id", "organization_id")
    return invoice_of(call.cloud.books, project=call.project.id)


def _lines(call: Call) -> Sequence[InvoiceLine]:
    return _invoice(call).lines


def _month(call: Call) -> str:
    month = call.wish("billing_period")
    if month and not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", month):
        raise invalid("billing_period", "format")
    return month


def _consumption(call: Call, line: InvoiceLine) -> JsonObject:
    category, product, sku = CATEGORIES[line.kind]
    project = call.project
    return {
        "product_name": product,
        "resource_name": line.name,
        "sku": f"{sku}/run_{line.zone}",
        "project_id": project.uid,
        "category_name": category,
        "unit": "hour",
        "billed_quantity": str(line.hours),
        "consumer_id": project.uid,
        "project_name": project.name,
        "organization_name": project.name,
        "value": _money(line.micros),
    }


def _charge(call: Call, line: InvoiceLine) -> JsonObject:
    project = call.project
    begins, ends = _bounds(line.month)
    return {
        "organization_id": project.uid,
        "organization_name": project.name,
        "project_id": project.uid,
        "project_name": project.name,
        "sku": f"{CATEGORIES[line.kind][2]}/run_{line.zone}",
        "invoice_id": _invoice_uid(project.uid, line.month),
        "resource_id": line.id,
        "resource_name": line.name,
        "price": _money(line.micros),
        "start_date": _moment(begins),
        "end_date": _moment(min(ends, call.cloud.books.now())),
        "updated_at": _moment(call.cloud.books.now()),
    }


def _month_json(call: Call, invoice: Invoice, month: str) -> JsonObject:
    (begins, ends), now = _bounds(month), invoice.until
    total = _sum(line for line in invoice.lines if line.month == month)
    issued = ends <= now
    return {
        "id": _invoice_uid(call.project.uid, month),
        "organization_id": call.project.uid,
        "organization_name": call.project.name,
        "type": "periodic",
        "state": "issued" if issued else "draft",
        "number": int(month.replace("-", "")),
        "seller_name": "SCALEWAY SAS",
        "start_date": _moment(begins),
        "stop_date": _moment(ends),
        "billing_period": _moment(begins),
        "issued_date": _moment(ends) if issued else None,
        "due_date": None,
        "total_untaxed": total,
        "total_taxed": total,
        "total_tax": _money(0),
        "total_discount": _money(0),
        "total_undiscount": total,
    }


def _sum(lines: Iterable[InvoiceLine]) -> JsonObject:
    return _money(sum(line.micros for line in lines))


def _money(micros: int) -> JsonObject:
    units, rest = divmod(micros, MICROS)
    return {"currency_code": "EUR", "units": units, "nanos": rest * NANOS_OF_A_MICRO}


def _bounds(month: str) -> tuple[datetime, datetime]:
    begins = datetime.strptime(month, "%Y-%m").replace(tzinfo=UTC)
    return begins, (begins + timedelta(days=31)).replace(day=1)


def _invoice_uid(project: str, month: str) -> str:
    return str(uuid.uuid5(_SPACE, f"{project} {month}"))


def _moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
