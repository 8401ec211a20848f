"""Papers and bills in words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from farm.billing.bill_rows import Bill
from farm.billing.customer_rows import Paper
from farm.web.presenters.money_wallet import spelled
from farm.web.presenters.statements import month_name


@dataclass(frozen=True, slots=True)
class PaperRow:
    """One invoice or credit note; `has_pdf` where Stripe has made one."""

    reference: str
    sort: str
    number: str
    at: datetime
    net: str
    tax: str
    total: str
    has_pdf: bool


@dataclass(frozen=True, slots=True)
class BillRow:
    """One month's bill; `page` is where it is paid, "" where nothing is to be paid."""

    month: str
    state: str
    net: str
    tax: str
    page: str


def paper_rows(papers: Iterable[Paper]) -> tuple[PaperRow, ...]:
    """Amounts as they stand on the papers."""
    return tuple(
        PaperRow(
            reference=paper.reference,
            sort=str(Paper.Sort(paper.sort).label),
            number=paper.number or paper.reference,
            at=paper.at,
            net=spelled(paper.net_cents),
            tax=spelled(paper.tax_cents),
            total=spelled(paper.total_cents),
            has_pdf=bool(paper.pdf),
        )
        for paper in papers
    )


def bill_rows(bills: Iterable[Bill]) -> tuple[BillRow, ...]:
    """The bills of a trusted payer."""
    return tuple(
        BillRow(
            month=month_name(bill.month),
            state=str(Bill.State(bill.state).label),
            net=spelled(bill.net_cents),
            tax=spelled(bill.tax_cents),
            page=bill.page if bill.state == Bill.State.OPEN else "",
        )
        for bill in bills
    )
