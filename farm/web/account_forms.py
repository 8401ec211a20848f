"""allauth's forms about one's own account, in our words: a password is typed once.

Whoever mistypes it still comes in by a code.
"""

from __future__ import annotations

from allauth.account.fields import EmailField, PasswordField, SetPasswordField
from allauth.account.forms import AddEmailForm as AccountAddEmailForm
from allauth.account.forms import ChangePasswordForm as AccountChangePasswordForm
from allauth.account.forms import ResetPasswordForm as AccountResetPasswordForm
from allauth.account.forms import ResetPasswordKeyForm as AccountResetPasswordKeyForm
from allauth.account.forms import SetPasswordForm as AccountSetPasswordForm
from django.utils.translation import gettext_lazy as _

from farm.accounts.passwords import RULES


class SetPasswordForm(AccountSetPasswordForm):
    """The first password."""

    password1 = SetPasswordField(label=_("Password"), help_text=RULES)
    password2 = None


class ChangePasswordForm(AccountChangePasswordForm):
    """Another password."""

    oldpassword = PasswordField(
        label=_("The password until now"), autocomplete="current-password", show_reset_help=True
    )
    password1 = SetPasswordField(label=_("The new password"), help_text=RULES)
    password2 = None


class ResetPasswordKeyForm(AccountResetPasswordKeyForm):
    """A password anew, after a code."""

    password1 = SetPasswordField(label=_("The new password"), help_text=RULES)
    password2 = None


class ResetPasswordForm(AccountResetPasswordForm):
    """To which address the code goes."""

    email = EmailField(label=_("Your e-mail address"), required=True)


class AddEmailForm(AccountAddEmailForm):
    """Another address."""

    email = EmailField(label=_("The new e-mail address"), required=True)
