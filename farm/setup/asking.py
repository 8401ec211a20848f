"""All that the set-up page asks, tried at once: what is good is kept, the rest is refused."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _

from farm.accounts.refusals import Refused
from farm.setup import clouds, house, mail, payments
from farm.setup.answers import forget, keep, kept

OPERATOR_EMAIL, OPERATOR_NAME = "operator_email", "operator_name"
CLOUD_KEYS = ("HETZNER_TOKEN", "SCALEWAY_SECRET_KEY")


@dataclass(frozen=True, slots=True)
class ModelKey:
    """A key of one provider of models, by the provider's key in the catalogue."""

    provider: str
    key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Answers:
    """What was typed; a secret left empty is the one that is kept, or none."""

    site_domain: str
    agents_domain: str
    operator_email: str
    operator_name: str
    hetzner_token: str = field(repr=False)
    scaleway: clouds.ScalewayKeys
    mail_host: str
    mail_port: str
    mail_line: str
    mail_user: str
    mail_password: str = field(repr=False)
    mail_from: str
    stripe_key: str = field(repr=False)
    vat_regime: str
    model_keys: tuple[ModelKey, ...]


def try_answers(answers: Answers) -> Sequence[Refused]:
    """Check every part live, side by side, and keep what is good; what is refused, by field."""
    parts = (
        lambda: _try_house(answers),
        lambda: _try_operator(answers),
        lambda: _try_mail(answers),
        lambda: _try_clouds(answers),
        lambda: _try_payments(answers),
        *(lambda key=key: _try_model_key(key) for key in answers.model_keys if key.key.strip()),
    )
    with ThreadPoolExecutor(len(parts)) as pool:
        # The person's language is this thread's alone.
        language = get_language() or settings.LANGUAGE_CODE
        begun = [pool.submit(_no_of, part, language) for part in parts]
        return [no for future in begun if (no := future.result())]


def _no_of(part: Callable[[], None], language: str) -> Refused | None:
    try:
        with override(language):
            part()
    except Refused as refused:
        return refused
    return None


def _try_house(answers: Answers) -> None:
    wanted = house.checked_house(answers.site_domain, answers.agents_domain)
    if not house.is_kept(wanted):
        house.check_house(wanted)
        house.keep_house(wanted)


def _try_operator(answers: Answers) -> None:
    keep(OPERATOR_EMAIL, _address(answers.operator_email))
    keep(OPERATOR_NAME, " ".join(answers.operator_name.replace("\x00", "").split())[:80])


def _try_mail(answers: Answers) -> None:
    server = mail.checked_server(
        host=answers.mail_host,
        port=answers.mail_port,
        line=answers.mail_line,
        user=answers.mail_user,
        password=answers.mail_password,
        sender=answers.mail_from,
    )
    mail.check_server(server, _address(answers.operator_email))
    mail.keep_server(server)


def _try_clouds(answers: Answers) -> None:
    if answers.hetzner_token.strip():
        clouds.check_hetzner(answers.hetzner_token)
        clouds.keep_hetzner(answers.hetzner_token)
    if answers.scaleway.given:
        clouds.check_scaleway(answers.scaleway)
        clouds.keep_scaleway(answers.scaleway)
    if not any(kept(name) for name in CLOUD_KEYS):
        sentence = _(
            "Without a cloud there are no machines: give a token of Hetzner, or a key of Scaleway."
        )
        raise Refused("hetzner_token", "no_cloud", sentence)


def _try_payments(answers: Answers) -> None:
    payments.keep_regime(answers.vat_regime)
    if answers.stripe_key.strip():
        payments.take_payments(answers.stripe_key, _site_of(answers))


def _site_of(answers: Answers) -> str:
    """Where webhooks are to come; a name that is none is told at its own field alone."""
    try:
        return house.checked_house(answers.site_domain, answers.agents_domain).site
    except Refused:
        sentence = _("Once the host name of the site is good, this key is tried: paste it again.")
        raise Refused("stripe_key", "no_site", sentence) from None


def _try_model_key(answer: ModelKey) -> None:
    provider = clouds.model_provider(answer.provider)
    forget(clouds.model_field(provider))
    clouds.check_model_key(provider, answer.key)
    keep(clouds.model_field(provider), answer.key.strip())


def _address(text: str) -> str:
    address = text.strip().lower()
    try:
        validate_email(address)
    except ValidationError:
        sentence = _("Give your e-mail address: the first code to log in is sent there.")
        raise Refused("operator_email", "no_address", sentence) from None
    return address
