"""What settings must hold once the farm serves people, that is with DEBUG off."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.checks import Warning as CheckWarning

from farm.edge_checks import edge_problems, unreal_edge
from farm.env import given


@register(Tags.security)
def check_production(
    app_configs: Sequence[AppConfig] | None,  # noqa: ARG001  (Django passes it by this name)
    **_: object,
) -> list[CheckMessage]:
    """Nothing on a laptop; with DEBUG off, an error with its remedy for each thing amiss."""
    if settings.DEBUG:
        return []
    if settings.SETTING_UP:
        # Nothing but the set-up page is served until it has the answers to all the rest.
        return [*_secrets()]
    return [*_secrets(), *_addresses(), *edge_problems(), *_outside(), *_nothing_unreal()]


def _secrets() -> Iterator[Error]:
    for name, also in (("SECRET_KEY", "SECRET_KEY"), ("FIELD_KEYS", "FIELD_KEY")):
        if not any(given(variable) for variable in (name, also)):
            yield _error(
                f"{name} is not set; a file beside the data is no place for it.",
                f"Set {name}, or {name}_FILE, to at least 32 random characters.",
                name,
            )
    if any(len(key) < 32 for key in (settings.SECRET_KEY, *settings.FIELD_KEYS)):
        yield _error(
            "SECRET_KEY or one of FIELD_KEYS is shorter than 32 characters.",
            "Make each with: python3 -c 'import secrets; print(secrets.token_urlsafe(48))'.",
            "SECRET_LENGTH",
        )


def _addresses() -> Iterator[Error]:
    if not settings.SITE_URL.startswith("https://"):
        yield _error(
            f"SITE_URL is {settings.SITE_URL}; people would sign in over an open line.",
            "Set SITE_URL to the site's https address.",
            "SITE_URL",
        )
    if not settings.RELAY_URL.startswith("https://"):
        yield _error(
            f"RELAY_URL is {settings.RELAY_URL}; what agents think would travel over an open line.",
            f"Unset RELAY_URL, or set it to {settings.SITE_URL}/relay, where the edge leads there.",
            "RELAY_URL",
        )
    if "*" in settings.ALLOWED_HOSTS or not given("ALLOWED_HOSTS"):
        yield _error(
            "ALLOWED_HOSTS does not name the site's hosts.",
            f"Set ALLOWED_HOSTS, for this SITE_URL to {urlsplit(settings.SITE_URL).hostname}.",
            "ALLOWED_HOSTS",
        )
    if any(source.endswith("/0") for source in settings.SSH_SOURCES):
        yield _error(
            "SSH_SOURCES lets the whole internet knock at the machines' SSH.",
            "Set SSH_SOURCES to the farm's own addresses, as CIDR, separated by commas.",
            "SSH_SOURCES",
        )


def _outside() -> Iterator[Error]:
    yield from _clouds()
    if settings.STRIPE_SECRET_KEY and not settings.STRIPE_WEBHOOK_SECRET:
        yield _error(
            "STRIPE_WEBHOOK_SECRET is not set: what Stripe tells the farm cannot be believed.",
            f"In Stripe make a webhook endpoint for {settings.SITE_URL}/stripe/webhook and set"
            " STRIPE_WEBHOOK_SECRET to its signing secret.",
            "STRIPE_WEBHOOK_SECRET",
        )
    if not given("EMAIL_HOST"):
        yield _error(
            "EMAIL_HOST is not set, so no sign-up code reaches anybody.",
            "Set EMAIL_HOST, EMAIL_PORT and what the mail server asks for.",
            "EMAIL_HOST",
        )


def _nothing_unreal() -> Iterator[CheckMessage]:
    """A lab that says that it is one may stand on a sandbox; it says so at every start."""
    for error in (*_no_sandbox(), *_no_test_money(), *unreal_edge()):
        if settings.LAB:
            yield CheckWarning(f"LAB is on, so nothing here is real: {error.msg}", hint=error.hint)
        else:
            yield error


def _clouds() -> Iterator[Error]:
    scaleway = ("SCALEWAY_ACCESS_KEY", "SCALEWAY_SECRET_KEY", "SCALEWAY_PROJECT_ID")
    missing = [name for name in scaleway if not getattr(settings, name)]
    if not settings.HETZNER_TOKEN and missing == list(scaleway):
        yield _error(
            "Neither HETZNER_TOKEN nor SCALEWAY_SECRET_KEY is set: there is no cloud to get"
            " machines from.",
            "Make a token with read and write in the Hetzner Cloud console and set HETZNER_TOKEN,"
            f" or an API key in the Scaleway console and set {', '.join(scaleway)}.",
            "HETZNER_TOKEN",
        )
    elif missing and missing != list(scaleway):
        yield _error(
            f"Of Scaleway's settings {', '.join(missing)} is missing.",
            f"Set {', '.join(missing)}, or none of {', '.join(scaleway)}.",
            "SCALEWAY",
        )


def _no_sandbox() -> Iterator[Error]:
    for name in sorted(os.environ):
        if name.startswith("SANDBOX_"):
            yield _error(
                f"{name} points at a sandbox, which serves no people.", f"Unset {name}.", "SANDBOX"
            )
    for name, endpoint in _endpoints():
        official = f"Unset {name}; it then is the official one."
        if _is_local(endpoint):
            sentence = f"{name} is on this machine: that is a sandbox, which serves no people."
            yield _error(sentence, official, name)
        elif not endpoint.startswith("https://"):
            sentence = f"{name} is not https: keys and tokens would travel over an open line."
            yield _error(sentence, official, name)


def _no_test_money() -> Iterator[Error]:
    key = settings.STRIPE_SECRET_KEY
    if key and not key.startswith(("sk_live_", "rk_live_")):
        yield _error(
            "STRIPE_SECRET_KEY is no live key: people would pay with play money.",
            "Set STRIPE_SECRET_KEY to a key of the live mode, or unset it.",
            "STRIPE_SECRET_KEY",
        )


def _endpoints() -> Iterator[tuple[str, str]]:
    yield "HETZNER_ENDPOINT", settings.HETZNER_ENDPOINT
    yield "SCALEWAY_ENDPOINT", settings.SCALEWAY_ENDPOINT
    yield "TELEGRAM_ENDPOINT", settings.TELEGRAM_ENDPOINT
    yield "SLACK_ENDPOINT", settings.SLACK_ENDPOINT
    if settings.STRIPE_API_BASE:
        yield "STRIPE_API_BASE", settings.STRIPE_API_BASE
    for provider, endpoint in settings.MODEL_ENDPOINTS.items():
        yield f"{provider.upper()}_ENDPOINT", endpoint


def _is_local(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _error(sentence: str, remedy: str, name: str) -> Error:
    return Error(sentence, hint=remedy, id=f"farm.{name}")
