"""How people come in: allauth's flows, with a code by mail unless a password is typed."""

from __future__ import annotations

import smtplib
from typing import ClassVar

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.forms import LoginForm as AccountLoginForm
from allauth.account.views import ConfirmEmailVerificationCodeView
from allauth.core.exceptions import ImmediateHttpResponse
from django.conf import settings
from django.forms import BaseForm, Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from farm.accounts.models import User
from farm.accounts.selectors import InvitationState, invitation_pending, invitation_state

PENDING = "invitation"
"""Where the session keeps which invitation a guest has opened."""
SIGN_UP_PASSWORD = "sign_up_password"  # noqa: S105 - the name of a place in the session


class Adapter(DefaultAccountAdapter):
    """A new person speaks the page's language; a mail that cannot leave is said."""

    error_messages: ClassVar = DefaultAccountAdapter.error_messages | {
        "incorrect_code": _("This is not the code. Take it from the latest mail, or ask anew."),
        "email_password_mismatch": _(
            "Address and password do not fit together. Without a password we send you a code."
        ),
        "too_many_login_attempts": _("That was often. Wait five minutes, then try again."),
        "email_taken": _("Somebody is here with this address already."),
        "duplicate_email": _("This is your address already."),
        "same_as_current": _("This is your address already."),
        "enter_current_password": _("This is not the password until now."),
        "incorrect_password": _("This is not your password."),
        "invalid_password_reset": _("This code is over. Ask for a new one."),
        "invalid_or_expired_key": _("This code is over. Ask for a new one."),
        "account_inactive": _("This address is closed here. Ask who runs this farm."),
        "rate_limited": _("That was fast. Wait ten seconds, then ask again."),
    }

    def save_user(
        self,
        request: HttpRequest,
        user: User,
        form: BaseForm,
        commit: bool = True,  # noqa: FBT001, FBT002
    ) -> User:
        """The person, saved with the language they signed up in, and without a password yet.

        It counts once this browser proves the address: else a stranger could sign up with
        somebody's address, and later open with their password what its owner keeps here.
        """
        user.language = get_language() or user.language
        saved: User = super().save_user(request, user, form, commit=False)
        if saved.has_usable_password():
            request.session[SIGN_UP_PASSWORD] = [saved.username, saved.password]
            saved.set_unusable_password()
        if commit:
            saved.save()
        return saved

    def login(self, request: HttpRequest, user: User) -> None:
        """The address is proved by now, and in this browser: its password counts."""
        username, password = request.session.pop(SIGN_UP_PASSWORD, ("", ""))
        if username == user.username:
            user.password = password
            user.save(update_fields=["password"])
        super().login(request, user)

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Whether a stranger may come: where the farm is open, or with an invitation in hand."""
        return settings.SIGN_UP == "open" or _has_open_invitation(request)

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        """A guest on their way goes on with their invitation."""
        if _has_open_invitation(request):
            return reverse("invitation_agent")
        return str(super().get_login_redirect_url(request))

    def send_mail(self, template_prefix: str, email: str, context: dict[str, object]) -> None:
        """Send it, or answer with a page that says that the mail server is away."""
        try:
            super().send_mail(template_prefix, email, context)
        except (OSError, smtplib.SMTPException) as error:
            page = render(self.request, "mail_unavailable.html", {"email": email}, status=503)
            raise ImmediateHttpResponse(page) from error


def come_in(request: HttpRequest, user: User) -> None:
    """Log in somebody who has just proved their address by the link of a mail."""
    Adapter(request).login(request, user)


def _has_open_invitation(request: HttpRequest) -> bool:
    """Whether they hold an invitation that they, whoever they are by now, can take up."""
    found = invitation_pending(str(request.session.get(PENDING, "")))
    user = request.user if isinstance(request.user, User) else None
    if found is None:
        return False
    return invitation_state(found, user, timezone.now()) == InvitationState.OPEN


class LoginForm(AccountLoginForm):
    """One field is enough: without a password a code is sent to the address."""

    def _setup_password_field(self) -> None:
        self.fields["password"].required = False
        self.fields["password"].help_text = ""


class ConfirmEmail(ConfirmEmailVerificationCodeView):
    """The page that asks for the code, and lets a mistyped address be mended.

    allauth forgot what happens when the mended address is none either.
    """

    def _change_form_invalid(self, form: Form) -> HttpResponse:
        shown: HttpResponse = self.render_to_response(self.get_context_data(form=form))
        return shown
