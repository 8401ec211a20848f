"""What bills of a month would say: of all trusted payers together, in a few grouped queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from django.db.models import Max, Q, QuerySet, Sum

from farm.billing.ai_rows import AiDay
from farm.billing.bill_extras import brought_over
from farm.billing.bill_rows import Bill, BillLine
from farm.billing.bill_sums import Item, Part, items_of
from farm.billing.models import Assignment, Kind, Payer, UsageLine
from farm.billing.rule import begin_of, next_month
from farm.billing.statements import month_before

Of = tuple[int, str]
"""A payer by pk, and an agent by uid."""


@dataclass(frozen=True, slots=True)
class Draft:
    """One payer's bill before it is one; `carried_micros` is what its cents leave over."""

    payer: Payer
    month: date
    items: Sequence[Item]
    net_micros: int

    @property
    def net_cents(self) -> int:
        """What is to be paid, before VAT; 0 for what is too little to be charged."""
        return sum(item.cents for item in self.items)

    @property
    def carried_micros(self) -> int:
        """What is left over for the next bill."""
        return self.net_micros - self.net_cents * 10_000


@dataclass(slots=True)
class _Sums:
    """What adds up to a Part."""

    name: str = ""
    machine: int = 0
    ai: int = 0
    fee: int = 0


def drafts_of(month: date) -> Sequence[Draft]:
    """Of every trusted payer that has no bill of that month or a later one, by name."""
    payers = {payer.pk: payer for payer in _to_bill(month)}
    before = month_before(month)
    followed = set(Bill.objects.filter(month=before).values_list("payer_id", flat=True))
    parts = _parts(month, payers)
    for pk, late in _late(before, {pk: payers[pk] for pk in followed & payers.keys()}).items():
        parts[pk] += late
    brought = brought_over(payers.keys(), month)
    return [_draft(payer, month, parts.get(pk, []), brought[pk]) for pk, payer in payers.items()]


def _draft(payer: Payer, month: date, parts: Sequence[Part], brought: int) -> Draft:
    ordered = sorted(parts, key=lambda part: (part.month, part.name.lower(), part.agent_uid))
    total = sum(part.micros for part in ordered) + brought
    return Draft(payer, month, items_of(ordered, brought, month), total)


def _to_bill(month: date) -> QuerySet[Payer]:
    billed = Bill.objects.filter(month__gte=month).values("payer")
    trusted = Payer.objects.filter(kind=Payer.Kind.INVOICE).select_related("account")
    there = trusted.filter(created_at__lt=begin_of(next_month(month)))
    return there.exclude(pk__in=billed).order_by("name", "pk")


def _parts(month: date, payers: Mapping[int, Payer]) -> defaultdict[int, list[Part]]:
    """What each agent cost in that month, by payer."""
    sums: defaultdict[Of, _Sums] = defaultdict(_Sums)
    _add_machines(sums, month)
    _add_ai(sums, month)
    found: defaultdict[int, list[Part]] = defaultdict(list)
    for (pk, uid), part in sums.items():
        if pk in payers and (part.machine or part.ai or part.fee):
            found[pk].append(Part(uid, part.name, month, part.machine, part.ai, part.fee))
    return found


def _add_machines(sums: defaultdict[Of, _Sums], month: date) -> None:
    trusted = Payer.objects.filter(kind=Payer.Kind.INVOICE)
    lines = UsageLine.objects.filter(month=month, payer__in=trusted).order_by()
    grouped = lines.values_list("payer", "agent_uid").annotate(
        whole=Sum("micros"), fee=Sum("micros", filter=Q(kind=Kind.FEE))
    )
    names = _names(trusted)
    for pk, uid, whole, fee in grouped:
        part = sums[pk, uid]
        part.name, part.fee = names.get(uid, ""), fee or 0
        part.machine = whole - part.fee


def _names(payers: QuerySet[Payer]) -> Mapping[str, str]:
    """What agents are called now: far cheaper than to compare the names of millions of lines."""
    said = Assignment.objects.filter(payer__in=payers).order_by("valid_from")
    return dict(said.values_list("agent_uid", "agent_name"))


def _add_ai(sums: defaultdict[Of, _Sums], month: date) -> None:
    payers = dict(Payer.objects.filter(kind=Payer.Kind.INVOICE).values_list("uid", "pk"))
    days = AiDay.objects.filter(day__gte=month, day__lt=next_month(month)).exclude(payer_uid="")
    grouped = days.order_by().values_list("payer_uid", "agent_uid")
    for uid, agent, name, micros in grouped.annotate(
        name=Max("agent_name"), micros=Sum("cost_micros")
    ):
        if uid in payers:
            part = sums[payers[uid], agent]
            part.name, part.ai = part.name or name, micros


def _late(month: date, payers: Mapping[int, Payer]) -> Mapping[int, list[Part]]:
    """What of a month that is closed was written after that, by payer."""
    if not payers:
        return {}
    billed = _billed(month)
    return {
        pk: [late for part in parts if (late := _unbilled(part, billed.get((pk, part.agent_uid))))]
        for pk, parts in _parts(month, payers).items()
    }


def _billed(month: date) -> Mapping[Of, tuple[int, int, int]]:
    rows = BillLine.objects.filter(month=month).exclude(agent_uid="").order_by()
    grouped: Iterable[tuple[int, str, int, int, int]] = rows.values_list(
        "bill__payer", "agent_uid"
    ).annotate(machine=Sum("machine_micros"), ai=Sum("ai_micros"), fee=Sum("fee_micros"))
    return {(pk, uid): (machine, ai, fee) for pk, uid, machine, ai, fee in grouped}


def _unbilled(part: Part, billed: tuple[int, int, int] | None) -> Part | None:
    machine, ai, fee = billed or (0, 0, 0)
    left = Part(
        part.agent_uid,
        part.name,
        part.month,
        part.machine - machine,
        part.ai - ai,
        part.fee - fee,
    )
    return left if left.micros else None
