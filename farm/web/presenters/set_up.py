"""The set-up page: what is kept already, without showing any secret of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from farm.setup.answers import kept
from farm.setup.clouds import model_field, models_asked_for
from farm.web.set_up_form import SetUpForm


@dataclass(frozen=True, slots=True)
class KeyField:
    """A field for a secret: whether one is kept, and what is wrong with the one just sent."""

    name: str
    label: str
    hint: str
    is_kept: bool
    errors: Sequence[str]


@dataclass(frozen=True, slots=True)
class KeyFields:
    """All of them, as the page shows them."""

    hetzner: KeyField
    scaleway: KeyField
    mail: KeyField
    stripe: KeyField
    models: Sequence[KeyField]


def key_fields(form: SetUpForm) -> KeyFields:
    """The page's fields for secrets."""
    models = [
        _field(form, model_field(model), model_field(model), model.name, model.key_hint)
        for model in models_asked_for()
    ]
    return KeyFields(
        hetzner=_field(form, "hetzner_token", "HETZNER_TOKEN", "Hetzner Cloud"),
        scaleway=_field(form, "scaleway_secret_key", "SCALEWAY_SECRET_KEY", "Scaleway"),
        mail=_field(form, "mail_password", "EMAIL_HOST_PASSWORD", ""),
        stripe=_field(form, "stripe_key", "STRIPE_SECRET_KEY", "Stripe"),
        models=models,
    )


def _field(form: SetUpForm, name: str, keeps: str, label: str, hint: str = "") -> KeyField:
    errors = [str(error) for error in form.errors.get(name, [])]
    return KeyField(name, label, hint, bool(kept(keeps)), errors)
