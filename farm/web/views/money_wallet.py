"""A wallet: what is in it, paying in, and the kept card that does so by itself."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, gettext
from django.views.decorators.http import require_GET, require_POST

from farm.accounts.models import Door, new_uid
from farm.accounts.refusals import Refused
from farm.billing.automatic import set_automatic_top_up
from farm.billing.bill_rows import Bill
from farm.billing.models import Payer
from farm.billing.standing import Standing, standing_of
from farm.billing.topups import ask_top_up
from farm.links import absolute
from farm.web.asking import MemberRequest, for_members
from farm.web.money_forms import AutomaticForm, TopUpForm, VatForm
from farm.web.presenters.money_papers import bill_rows
from farm.web.presenters.money_wallet import wallet_words
from farm.web.views.money import payer_asked_for


@dataclass(frozen=True, slots=True)
class Forms:
    """The forms of the page: fresh ones, or the one that was refused."""

    pay: TopUpForm = field(default_factory=lambda: TopUpForm(initial={"key": new_uid()}))
    automatic: AutomaticForm = field(default_factory=AutomaticForm)
    vat: VatForm = field(default_factory=VatForm)

    @property
    def refused(self) -> bool:
        """Whether one of them was."""
        return bool(self.pay.errors or self.automatic.errors or self.vat.errors)


@for_members
@require_GET
def wallet(request: MemberRequest, uid: str) -> HttpResponse:
    """What it has, what is set aside and why, and every way to pay in."""
    payer = payer_asked_for(request, uid)
    if payer.kind == Payer.Kind.INTERNAL:
        return redirect("account_money", payer.account.uid)
    missing = request.GET.get("amount", "")
    begin = TopUpForm(initial={"key": new_uid(), "amount": missing})
    return shown(request, payer, Forms(pay=begin))


@for_members
@require_POST
def new_top_up(request: MemberRequest, uid: str) -> HttpResponse:
    """On to a hosted page; or the refusal, at its field."""
    payer = payer_asked_for(request, uid)
    form = TopUpForm(request.POST)
    if not form.is_valid():
        return shown(request, payer, Forms(pay=form))
    key = form.cleaned_data["key"] or new_uid()
    try:
        asked = ask_top_up(
            actor=request.user,
            door=Door.WEB,
            payer=payer,
            cents=form.cents(),
            success_url=absolute("top_up", uid, key) + "?back=1",
            cancel_url=absolute("top_up", uid, key) + "?left=1",
            language=get_language() or "en",
            key=key,
        )
    except Refused as refused:
        form.refuse(refused)
        return shown(request, payer, Forms(pay=form))
    return redirect(reverse("top_up", args=[uid, asked.uid]) + "?go=1")


@for_members
@require_POST
def automatic(request: MemberRequest, uid: str) -> HttpResponse:
    """Have the kept card charged by itself, or never again."""
    payer = payer_asked_for(request, uid)
    ends = "end" in request.POST
    form = AutomaticForm(request.POST)
    if not ends and form.is_valid() and not form.cleaned_data["agreed"]:
        form.add_error("agreed", gettext("Tick the sentence first: a card is not charged without."))
    if not ends and not form.is_valid():
        return shown(request, payer, Forms(automatic=form))
    try:
        set_automatic_top_up(
            actor=request.user, door=Door.WEB, payer=payer, cents=0 if ends else form.cents()
        )
    except Refused as refused:
        form.refuse(refused)
        return shown(request, payer, Forms(automatic=form))
    messages.success(request, gettext("Noted. It counts from now on."))
    return redirect("wallet", uid)


def shown(request: MemberRequest, payer: Payer, forms: Forms) -> HttpResponse:
    """The wallet's page; 422 with a form that was refused."""
    standing: Standing = standing_of(payer, timezone.now())
    context = {
        "payer": payer,
        "account": payer.account,
        "customer": standing.customer,
        "is_wallet": payer.kind == Payer.Kind.WALLET,
        "wallet": wallet_words(standing),
        "bills": bill_rows(Bill.objects.filter(payer=payer).order_by("-month")),
        "forms": forms,
    }
    return render(request, "money/wallet.html", context, status=422 if forms.refused else 200)
