"""The person's own page: how agents call them, their address, a password if they want one."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from farm.accounts.models import Door
from farm.accounts.services import rename_person
from farm.web.asking import MemberRequest, for_members
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
    return render(request, "account/person.html", {"form": form})
