"""The clouds and models that the operator brings keys of, each asked whether it takes them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from django.conf import settings
from django.utils.translation import gettext as _

from farm.accounts.refusals import Refused
from farm.agents.model_keys import KeyVerdict, verdict_on
from farm.catalog import ModelProvider, catalog
from farm.setup.answers import keep, kept
from provisioning.errors import ProvisioningError, Transient
from provisioning.registry import Credentials, provider_for

ACCESS_KEY = re.compile(r"SCW[A-Z0-9]{17}")
UID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


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
    """Whether the key opens the project, and may write there; Refused names the field."""
    _demand_whole(keys)
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
    except ProvisioningError as error:
        raise _refusal_of_scaleway(error) from None


def _demand_whole(keys: ScalewayKeys) -> None:
    """Each of the three as Scaleway gives it out; the access key is never asked for over there."""
    if not ACCESS_KEY.fullmatch(keys.access_key.strip()):
        sentence = _(
            "Paste the access key: SCW and 17 letters or digits, under IAM, API keys in the"
            " Scaleway Console."
        )
        raise Refused("scaleway_access_key", "no_access_key", sentence)
    if not UID.fullmatch(_secret_of(keys).lower()):
        sentence = _(
            "Paste the secret key: Scaleway shows it once, when the API key is made; it looks like"
            " 11111111-2222-4333-8444-555555555555."
        )
        raise Refused("scaleway_secret_key", "no_secret_key", sentence)
    if not UID.fullmatch(keys.project.strip().lower()):
        sentence = _(
            "Paste the project's ID, from its settings in the Scaleway Console; it looks like"
            " 11111111-2222-4333-8444-555555555555."
        )
        raise Refused("scaleway_project", "no_project", sentence)


def _refusal_of_scaleway(error: ProvisioningError) -> Refused:
    if error.code == "denied_authentication":
        sentence = _(
            "Scaleway does not know this secret key, or it has expired: make another API key there,"
            " and paste both halves."
        )
        return Refused("scaleway_secret_key", "unknown", sentence)
    if error.code == "permissions_denied":
        sentence = _(
            "This key may not make machines in this project: correct the ID, or give the key's"
            " application InstancesFullAccess and BlockStorageFullAccess in this project."
        )
        return Refused("scaleway_project", "refused", sentence)
    sentence = _("Scaleway does not take this key (%(why)s): look at all three.")
    return Refused("scaleway_secret_key", "refused", sentence % {"why": error.code})


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
