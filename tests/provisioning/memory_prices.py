"""What things cost in the cloud in memory."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from provisioning.provider import Billable, BillableKind, Machine, Price

IPV4_PRICE = Price(hourly=800, monthly=500_000, currency="EUR")
SNAPSHOT_PRICE = Price(hourly=40, monthly=28_600, currency="EUR")
TERABYTE_PRICE = Price(hourly=19_220, monthly=14_300_000, currency="EUR")
PRICES = {
    "cx23": Price(hourly=6_400, monthly=3_990_000, currency="EUR"),
    "cx33": Price(hourly=10_400, monthly=6_490_000, currency="EUR"),
}


def bill(kind: BillableKind, number: str, price: Price, machine: Machine) -> Billable:
    """What a machine or its address costs."""
    return Billable(
        kind=kind,
        id=number,
        name=machine.name,
        location=machine.location,
        machine=machine.name,
        created_at=machine.created_at,
        labels=machine.labels,
        price=price,
    )


def stray(kind: BillableKind, number: str, labels: Mapping[str, str], at: datetime) -> Billable:
    """What a copy or a volume costs, which belongs to no machine."""
    return Billable(
        kind=kind,
        id=number,
        name=number,
        location="",
        machine="",
        created_at=at,
        labels=labels,
        price=SNAPSHOT_PRICE,
    )
