"""The fields of the set-up page; what is right about them is decided by `farm.setup`."""

from __future__ import annotations

from urllib.parse import urlsplit

from django import forms
from django.http import QueryDict

from farm.setup.answers import kept
from farm.setup.asking import OPERATOR_EMAIL, OPERATOR_NAME, Answers, ModelKey
from farm.setup.clouds import ScalewayKeys, model_field, models_asked_for
from farm.setup.payments import kept_regime


class SetUpForm(forms.Form):
    """Everything that is asked; every field may be empty, for what is kept already."""

    site_domain = forms.CharField(required=False, max_length=200)
    agents_domain = forms.CharField(required=False, max_length=200)
    operator_email = forms.CharField(required=False, max_length=254)
    operator_name = forms.CharField(required=False, max_length=80)
    hetzner_token = forms.CharField(required=False, max_length=200)
    scaleway_access_key = forms.CharField(required=False, max_length=100)
    scaleway_secret_key = forms.CharField(required=False, max_length=100)
    scaleway_project = forms.CharField(required=False, max_length=100)
    mail_host = forms.CharField(required=False, max_length=200)
    mail_port = forms.CharField(required=False, max_length=5)
    mail_line = forms.CharField(required=False, max_length=10)
    mail_user = forms.CharField(required=False, max_length=200)
    mail_password = forms.CharField(required=False, strip=False, max_length=500)
    mail_from = forms.CharField(required=False, max_length=254)
    stripe_key = forms.CharField(required=False, max_length=300)
    vat_regime = forms.CharField(required=False, max_length=10)

    def __init__(
        self, data: QueryDict | None = None, *, initial: dict[str, str] | None = None
    ) -> None:
        super().__init__(data, initial=initial)
        for model in models_asked_for():
            self.fields[model_field(model)] = forms.CharField(required=False, max_length=500)

    def text(self, field: str) -> str:
        """What was sent, or what the form began with."""
        return str(self[field].value() or "")

    def answers(self) -> Answers:
        """Everything as it was typed."""
        typed = {name: str(self.cleaned_data.get(name, "")) for name in self.fields}
        keys = tuple(
            ModelKey(model.key, typed.pop(model_field(model))) for model in models_asked_for()
        )
        scaleway = ScalewayKeys(
            typed.pop("scaleway_access_key"),
            typed.pop("scaleway_secret_key"),
            typed.pop("scaleway_project"),
        )
        return Answers(**typed, scaleway=scaleway, model_keys=keys)

    @staticmethod
    def kept() -> dict[str, str]:
        """What was good before; secrets are never shown again."""
        line = "tls" if kept("EMAIL_USE_SSL") == "1" else ""
        line = line or ("open" if kept("EMAIL_USE_TLS") == "0" else "starttls")
        return {
            "site_domain": urlsplit(kept("SITE_URL")).hostname or "",
            "agents_domain": kept("AGENTS_DOMAIN"),
            "operator_email": kept(OPERATOR_EMAIL),
            "operator_name": kept(OPERATOR_NAME),
            "scaleway_access_key": kept("SCALEWAY_ACCESS_KEY"),
            "scaleway_project": kept("SCALEWAY_PROJECT_ID"),
            "mail_host": kept("EMAIL_HOST"),
            "mail_port": kept("EMAIL_PORT") or "587",
            "mail_line": line,
            "mail_user": kept("EMAIL_HOST_USER"),
            "mail_from": kept("DEFAULT_FROM_EMAIL"),
            "vat_regime": kept_regime(),
        }
