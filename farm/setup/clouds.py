"""The clouds and models that the operator brings keys of, each asked whether it takes them."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.conf import settings
from django.utils.translation import gettext as _

from farm.accounts.refusals import Refused
from farm.agents.model_keys import KeyVerdict, verdict_on
from farm.catalog import ModelProvider, catalog
from farm.setup.answers import keep, kept
from provisioning.errors import ProvisioningError, Transient
from provisioning.registry import Credentials, provider_for


@dataclass(frozen=True, slots=True)
class ScalewayKeys:
    """An API key of one project; `secret_key` may be "" for the one that is kept."""

    access_key: str
    secret_key: str = field(repr=False)
    project: str

    @property
    def given(self) -> bool:
        """Whether any of it was typed."""
        return any(word.strip() for word in (self.access_key, self.secret_key, self.project))


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


def check_scaleway(keys: ScalewayKeys) -> None:
    """Whether the key opens the project, and may write there."""
    try:
        provider_for(
            Credentials(
                "scaleway",
                _secret_of(keys),
                settings.SCALEWAY_ENDPOINT,
                keys.access_key,
                keys.project,
                tuple(settings.SCALEWAY_ZONES),
            )
        ).verify()
    except Transient:
        sentence = _("Scaleway does not answer at the moment: send this again in a minute.")
        raise Refused("scaleway_secret_key", "unreachable", sentence) from None
    except ProvisioningError:
        sentence = _(
            "Scaleway does not take this key for writing: give access key, secret key and project"
            " ID of an application that has InstancesFullAccess and BlockStorageFullAccess."
        )
        raise Refused("scaleway_secret_key", "refused", sentence) from None


def keep_scaleway(keys: ScalewayKeys) -> None:
    """For settings."""
    keep("SCALEWAY_SECRET_KEY", _secret_of(keys))
    keep("SCALEWAY_ACCESS_KEY", keys.access_key.strip())
    keep("SCALEWAY_PROJECT_ID", keys.project.strip())


def _secret_of(keys: ScalewayKeys) -> str:
    return keys.secret_key.strip() or kept("SCALEWAY_SECRET_KEY")


def keep_hetzner(token: str) -> None:
    """For settings."""
    keep("HETZNER_TOKEN", token.strip())


def check_model_key(provider: ModelProvider, key: str) -> None:
    """Whether the provider takes the key, and its account can pay."""
    verdict = verdict_on(provider, key.strip())
    place, name = model_field(provider), {"provider": provider.name}
    if verdict is KeyVerdict.REFUSED:
        sentence = _("%(provider)s refuses this key: paste it again, or leave it out.")
        raise Refused(place, "refused", sentence % name)
    if verdict is KeyVerdict.NO_CREDIT:
        sentence = _(
            "%(provider)s takes this key, but its account has no credit: add some, or leave it out."
        )
        raise Refused(place, "no_credit", sentence % name)
    if verdict is KeyVerdict.UNREACHABLE:
        sentence = _(
            "%(provider)s does not answer at the moment: send this again, or leave it out."
        )
        raise Refused(place, "unreachable", sentence % name)


def model_field(provider: ModelProvider) -> str:
    """The name of the page's field, and of the file that keeps the key until the farm is set up."""
    return f"model_key_{provider.key}"


def model_provider(key: str) -> ModelProvider:
    """The provider of models that the catalogue calls so."""
    return catalog().models.get(key)


def models_asked_for() -> list[ModelProvider]:
    """Every provider of models in the catalogue."""
    return list(catalog().models.items)
