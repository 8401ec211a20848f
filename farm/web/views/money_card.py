"""The kept card, Stripe's own page for it, and the VAT id that papers bear."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language, gettext
from django.views.decorators.http import require_GET, require_POST

from farm.accounts.models import Door
from farm.accounts.refusals import Refused
from farm.billing.cards import look_at_card_page, open_card_page, portal_of, remove_card
from farm.billing.vat_ids import give_vat_id, remove_vat_id
from farm.links import absolute
from farm.web.asking import MemberRequest, for_members
from farm.web.money_forms import VatForm
from farm.web.views.money import payer_asked_for
from farm.web.views.money_wallet import Forms, shown

CHECKOUT = "session"


@for_members
@require_POST
def add_card(request: MemberRequest, uid: str) -> HttpResponse:
    """On to a hosted page that keeps a card."""
    payer = payer_asked_for(request, uid)
    try:
        address = open_card_page(
            actor=request.user,
            door=Door.WEB,
            payer=payer,
            success_url=absolute("card_back", uid) + f"?{CHECKOUT}={{CHECKOUT_SESSION_ID}}",
            cancel_url=absolute("wallet", uid),
            language=get_language() or "en",
        )
    except Refused as refused:
        return _refused(request, refused, uid)
    return _onwards(request, address, uid)


@for_members
@require_GET
def card_back(request: MemberRequest, uid: str) -> HttpResponse:
    """Whoever comes back from that page: the card is known at once, if it is kept."""
    payer = payer_asked_for(request, uid)
    checkout = request.GET.get(CHECKOUT, "")
    if not checkout.startswith("cs_"):
        return redirect("wallet", uid)
    try:
        customer = look_at_card_page(payer, checkout)
    except Refused as refused:
        return _refused(request, refused, uid)
    if customer.card:
        text = gettext("Kept: %(card)s")
        messages.success(request, text % {"card": customer.card_name})
    else:
        messages.error(request, gettext("No card was kept. Nothing was charged."))
    return redirect("wallet", uid)


@for_members
@require_POST
def forget_card(request: MemberRequest, uid: str) -> HttpResponse:
    """Keep it no longer; nothing is charged by itself any more."""
    payer = payer_asked_for(request, uid)
    try:
        remove_card(actor=request.user, door=Door.WEB, payer=payer)
    except Refused as refused:
        return _refused(request, refused, uid)
    messages.success(request, gettext("The card is kept no longer."))
    return redirect("wallet", uid)


@for_members
@require_POST
def portal(request: MemberRequest, uid: str) -> HttpResponse:
    """On to Stripe's own page for cards and papers."""
    payer = payer_asked_for(request, uid)
    try:
        address = portal_of(
            actor=request.user, door=Door.WEB, payer=payer, return_url=absolute("wallet", uid)
        )
    except Refused as refused:
        return _refused(request, refused, uid)
    return _onwards(request, address, uid)


@for_members
@require_POST
def vat_id(request: MemberRequest, uid: str) -> HttpResponse:
    """The VAT id that papers bear from now on; or none."""
    payer = payer_asked_for(request, uid)
    form = VatForm(request.POST)
    try:
        if "none" in request.POST:
            remove_vat_id(actor=request.user, door=Door.WEB, payer=payer)
        elif form.is_valid():
            value = form.cleaned_data["vat_id"]
            give_vat_id(actor=request.user, door=Door.WEB, payer=payer, value=value)
    except Refused as refused:
        form.refuse(refused)
    if form.errors:
        return shown(request, payer, Forms(vat=form))
    messages.success(request, gettext("Noted. It counts from now on."))
    return redirect("wallet", uid)


def _onwards(request: MemberRequest, address: str, uid: str) -> HttpResponse:
    """By a page of its own: a form's answer may not lead to another site."""
    return render(request, "money/onwards.html", {"address": address, "payer_uid": uid})


def _refused(request: MemberRequest, refused: Refused, uid: str) -> HttpResponse:
    messages.error(request, str(refused.sentence))
    return redirect("wallet", uid)
