"""The model keys that an account shares: added, listed, taken back; none is ever shown."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST

from farm.accounts.models import Account, Door
from farm.accounts.permissions import Action
from farm.agents import services
from farm.agents.refusals import Refused
from farm.agents.selectors import payers_of
from farm.agents.selectors.shared_keys import shared_keys_of
from farm.agents.services.shared_keys import USUAL_BUDGET
from farm.billing.amounts import in_cents
from farm.web.ai_forms import KeyForm
from farm.web.asking import MemberRequest, account_asked_for, for_members
from farm.web.presenters.ai import key_words, provider_options


@for_members
@require_http_methods(["GET", "HEAD", "POST"])
def keys(request: MemberRequest, uid: str) -> HttpResponse:
    """The list, and the form that takes one more."""
    account = account_asked_for(request, uid, Action.MANAGE_KEYS)
    form = KeyForm(request.POST or None, initial={"budget": in_cents(USUAL_BUDGET)})
    if request.method == "POST" and form.is_valid() and _added(request, account, form):
        return redirect("keys", uid)
    context = {
        "account": account,
        "keys": key_words(account),
        "form": form,
        "providers": provider_options(form.text("provider")),
        "payers": payers_of(account),
        "payer_uid": form.text("payer_uid"),
        "paste_again": form.is_bound and bool(form.text("model_key")),
    }
    return render(request, "team/keys.html", context, status=422 if form.errors else 200)


@for_members
@require_POST
def revoke(request: MemberRequest, uid: str, key: str) -> HttpResponse:
    """Nobody thinks with it any more."""
    account = account_asked_for(request, uid, Action.MANAGE_KEYS)
    found = shared_keys_of(account).filter(uid=key).first()
    if found is None:
        raise Http404(key)
    services.revoke_shared_key(actor=request.user, door=Door.WEB, key=found)
    messages.success(request, gettext("%(key)s is revoked and forgotten.") % {"key": found.name})
    return redirect("keys", uid)


def _added(request: MemberRequest, account: Account, form: KeyForm) -> bool:
    try:
        shared = services.add_shared_key(
            actor=request.user, account=account, door=Door.WEB, wish=form.wish()
        )
    except Refused as refused:
        form.refuse(refused)
        return False
    text = gettext("%(key)s is shared: new agents may think with it.")
    messages.success(request, text % {"key": shared.name})
    return True
