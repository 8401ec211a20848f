"""The clouds and models that the operator brings keys of, each asked whether it takes them."""

from __future__ import annotations

from django.conf import settings
from django.utils.translation import gettext as _

from farm.accounts.refusals import Refused
from farm.agents.model_keys import KeyVerdict, verdict_on
from farm.catalog import ModelProvider, catalog
from farm.setup.answers import keep
from provisioning.errors import ProvisioningError, Transient
from provisioning.registry import Credentials, provider_for


def check_hetzner(token: str) -> None:
    """Whether the token opens a project, and may write there."""
    try:
        provider_for(Credentials("hetzner", token.strip(), settings.HETZNER_ENDPOINT)).verify()
    except Transient:
        sentence = _("Hetzner does not answer at the moment: send this again in a minute.")
        raise Refused("hetzner_token", "unreachable", sentence) from None
    except ProvisioningError:
        sentence = _(
            "Hetzner does not take this token for writing: make one with the permission read and"
            " write in the project's security settings, and paste it."
        )
        raise Refused("hetzner_token", "refused", sentence) from None


def keep_hetzner(token: str) -> None:
    """For settings."""
    keep("HETZNER_TOKEN", token.strip())


def check_model_key(provider: ModelProvider, key: str) -> None:
    """Whether the provider takes the key; one without credit is good, and can be filled later."""
    verdict = verdict_on(provider, key.strip())
    field, name = model_field(provider), {"provider": provider.name}
    if verdict is KeyVerdict.REFUSED:
        sentence = _("%(provider)s refuses this key: paste it again, or leave it out.")
        raise Refused(field, "refused", sentence % name)
    if verdict is KeyVerdict.UNREACHABLE:
        sentence = _(
            "%(provider)s does not answer at the moment: send this again, or leave it out."
        )
        raise Refused(field, "unreachable", sentence % name)


def model_field(provider: ModelProvider) -> str:
    """The name of the page's field, and of the file that keeps the key until the farm is set up."""
    return f"model_key_{provider.key}"


def model_provider(key: str) -> ModelProvider:
    """The provider of models that the catalogue calls so."""
    return catalog().models.get(key)


def models_asked_for() -> list[ModelProvider]:
    """Every provider of models in the catalogue."""
    return list(catalog().models.items)
