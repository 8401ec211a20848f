"""A payer's papers: invoices and credit notes as Stripe keeps them, and the farm's statements."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET

from farm.billing.customer_rows import Paper
from farm.billing.gateway_errors import GatewayError
from farm.billing.gateway_values import CreditNote, Invoice
from farm.billing.opening import gateway
from farm.billing.statements import months_of
from farm.web.asking import MemberRequest, for_members
from farm.web.presenters.money_papers import paper_rows
from farm.web.views.money import payer_asked_for

KIND: Final = {Paper.Sort.INVOICE: "invoice", Paper.Sort.CREDIT: "credit_note"}
GOOD_FOR: Final = timedelta(days=25)
"""Stripe's links to papers end after thirty days; a younger one is not asked for anew."""


@for_members
@require_GET
def papers(request: MemberRequest, uid: str) -> HttpResponse:
    """Every paper of a payer, the newest first, and each month's statement."""
    payer = payer_asked_for(request, uid)
    rows = Paper.objects.filter(customer__payer=payer).order_by("-at", "-pk")
    context = {
        "payer": payer,
        "account": payer.account,
        "papers": paper_rows(rows),
        "months": months_of(payer),
    }
    return render(request, "money/papers.html", context)


@for_members
@require_GET
def paper(request: MemberRequest, uid: str, paper: str) -> HttpResponse:
    """On to the PDF at Stripe: the farm itself fetches none."""
    payer = payer_asked_for(request, uid)
    found = Paper.objects.filter(customer__payer=payer, reference=paper).first()
    if found is None:
        raise Http404(paper)
    address = _address_of(found)
    if not address.startswith(("https://", "http://")):
        raise Http404(paper)
    return redirect(address)


def _address_of(found: Paper) -> str:
    """Where it is now; where it was, if Stripe does not say."""
    house = gateway()
    if house is None or timezone.now() - found.at < GOOD_FOR:
        return found.pdf
    try:
        there = house.find(KIND[Paper.Sort(found.sort)], found.reference)
    except GatewayError:
        return found.pdf
    return there.pdf if isinstance(there, Invoice | CreditNote) else found.pdf
