"""The person's own page: how agents call them, their address, a password if they want one."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from farm.accounts.models import Door
from farm.accounts.selectors import account_chosen, accounts_of, may_open_account
from farm.accounts.services import rename_person
from farm.web.asking import MemberRequest, account_chosen_by, for_members
from farm.web.forms import PersonForm


@for_members
@require_http_methods(["GET", "HEAD", "POST"])
def account(request: MemberRequest) -> HttpResponse:
    """Shows it, or takes a new name."""
    form = PersonForm(request.POST or None, initial={"name": request.user.display_name})
    if request.method == "POST" and form.is_valid():
        rename_person(actor=request.user, door=Door.WEB, name=form.cleaned_data["name"])
        messages.success(request, gettext("Noted. Agents made from now on call you that."))
        return redirect("account")
    context = {
        "form": form,
        "memberships": accounts_of(request.user),
        "chosen": account_chosen(request.user, account_chosen_by(request)),
        "may_open": may_open_account(request.user),
    }
    return render(request, "account/person.html", context)
