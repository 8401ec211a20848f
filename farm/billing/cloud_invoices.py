"""Keeps the invoices of clouds that the operator hands in, and says what they tell of months."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from farm.accounts.models import Door, User
from farm.accounts.permissions import Action, demand
from farm.accounts.services import record
from farm.billing.cloud_books import read_books
from farm.billing.cloud_files import MOST_BYTES, CloudFile, Read, read_csv, refused
from farm.billing.expected import Thing, month_after, month_begins
from farm.billing.models import Kind
from farm.billing.month_ends import Guess, Rounding, guesses
from farm.billing.owners import Owners, is_called_ours, is_the_farms_own
from farm.billing.reconciliation_rows import CloudCharge, CloudInvoice
from farm.billing.reconciling import Charge, Charged, Prices

ROUNDED = {
    Rounding.HALF_UP: gettext_lazy("half up"),
    Rounding.UP: gettext_lazy("up"),
    Rounding.DOWN: gettext_lazy("down"),
}
"""How amounts are rounded, in people's words."""


@dataclass(frozen=True, slots=True)
class Imported:
    """An invoice, kept now or `known` before; so many of its lines are of no thing of ours."""

    provider: str
    months: tuple[date, ...]
    lines: int
    not_ours: int
    micros: int
    currency: str
    known: bool
    verdict: str


@dataclass(frozen=True, slots=True)
class Inventory:
    """All machines and copies that ever cost anything, and what they cost."""

    things: Sequence[Thing]
    prices: Prices


@transaction.atomic
def import_invoice(
    *,
    actor: User,
    door: Door,
    name: str,
    raw: bytes,
    provider: str,
    inventory: Inventory,
    now: datetime,
) -> Sequence[Imported]:
    """Keep what each cloud in the file charges; the same file again changes nothing.

    Only for who runs the farm. Refused with the line that cannot be read, and nothing is kept.
    `provider` is whose it is, or "" where the file says so itself.
    """
    demand(actor, Action.OPERATE_FARM)
    digest = hashlib.sha256(raw).hexdigest()
    found = [_kept(part, name, digest, inventory, now) for part in _parts(_text(raw), provider)]
    for one in found:
        if not one.known:
            subject = f"{one.provider} {name}"[:80]
            record(account=None, actor=actor, door=door, verb="import invoice", subject=subject)
    return found


def imported(provider: str, month: date) -> Charged | None:
    """What the invoice of that cloud and month says that was handed in last; None if none was.

    Such an invoice is of the whole account: what neither is ours nor is called so is left out.
    """
    invoices = CloudInvoice.objects.filter(provider=provider, charges__month=month)
    last = invoices.order_by("-imported_at", "-pk").first()
    if last is None:
        return None
    rows = CloudCharge.objects.filter(invoice=last, month=month).order_by("line")
    end = month_begins(month_after(month))
    charges = tuple(
        Charge(
            row.resource, row.server_uid, row.kind, month, row.hours, row.micros, row.step_micros
        )
        for row in rows
        if row.server_uid or _may_be_ours(row)
    )
    return Charged(provider, month, min(end, last.until or end), charges)


def _may_be_ours(row: CloudCharge) -> bool:
    if is_the_farms_own(row.resource):
        return False
    return row.kind == Kind.IPV4 or is_called_ours(row.resource)


def _text(raw: bytes) -> str:
    if len(raw) > MOST_BYTES:
        raise refused(_("This file is larger than any invoice: it has more than 64 MiB."))
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise refused(_("This file is no text: give the CSV, not the PDF.")) from None


def _parts(text: str, provider: str) -> Sequence[CloudFile]:
    if text.lstrip().startswith("{"):
        found = [part for part in read_books(text, provider) if part.rows]
        if not found:
            raise refused(_("There is no line of an invoice in this file: download it again."))
        return found
    return [read_csv(text, provider or "hetzner")]


def _kept(part: CloudFile, name: str, digest: str, inventory: Inventory, now: datetime) -> Imported:
    owners = Owners(inventory.things, part.provider)
    charges = [_charge(read, owners) for read in part.rows]
    there = CloudInvoice.objects.filter(provider=part.provider, sha256=digest).first()
    row = there or _write(part, name, digest, charges, inventory, now)
    return Imported(
        provider=part.provider,
        months=tuple(sorted({charge.month for charge in charges})),
        lines=len(charges),
        not_ours=sum(not charge.uid for charge in charges),
        micros=row.micros,
        currency=row.currency,
        known=there is not None,
        verdict=row.verdict,
    )


def _charge(read: Read, owners: Owners) -> Charge:
    uid = owners.of(read.kind, read.words)
    return Charge(
        read.resource, uid, read.kind, read.month, read.hours, read.micros, read.step_micros
    )


def _write(
    part: CloudFile,
    name: str,
    digest: str,
    charges: Sequence[Charge],
    inventory: Inventory,
    now: datetime,
) -> CloudInvoice:
    things: Mapping[str, Thing] = {thing.uid: thing for thing in inventory.things}
    row = CloudInvoice.objects.create(
        provider=part.provider,
        sha256=digest,
        name=name[:200],
        imported_at=now,
        until=part.until,
        currency=part.currency,
        micros=sum(charge.micros for charge in charges),
        verdict=verdict_of(guesses(charges, things, inventory.prices, part.until)),
    )
    CloudCharge.objects.bulk_create(
        CloudCharge(
            invoice=row,
            line=read.line,
            month=charge.month,
            resource=charge.resource,
            server_uid=charge.uid,
            kind=charge.kind,
            hours=charge.hours,
            micros=charge.micros,
            step_micros=charge.step_micros,
        )
        for read, charge in zip(part.rows, charges, strict=True)
    )
    return row


def verdict_of(guessed: Sequence[Guess]) -> str:
    """A sentence: whether months of UTC, rounded half up, are what the invoice was made by."""
    assumed, *others = guessed
    fitting = [guess for guess in others if guess.fits]
    if not assumed.sums:
        return _("It has nothing of ours by the hour, and tells nothing of where a month ends.")
    if assumed.fits and any(guess.zone != assumed.zone for guess in fitting):
        text = _("All {sums} sums agree with months of UTC; nothing crossed a month's end.")
    elif assumed.fits:
        text = _("All {sums} sums agree with months of UTC alone: the assumption is confirmed.")
    elif fitting:
        text = _(
            "The sums agree only with months of {zone}, amounts rounded {rounding}: with months of"
            " UTC, rounded half up, {agree} of {sums} do. Tell this whoever cares for the farm's"
            " code: docs/decisions/0017-month-end.md says what changes."
        )
    else:
        text = _(
            "{agree} of {sums} sums agree with months of UTC, and no other month or rounding"
            " explains the rest: `farm billing reconcile --month` names each."
        )
    best = fitting[0] if fitting else assumed
    return text.format(
        sums=assumed.sums,
        agree=assumed.agree,
        zone=best.zone,
        rounding=str(ROUNDED[best.rounding]),
    )
