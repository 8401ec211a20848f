"""The addresses of a sandbox's services, put together from its ports."""

from __future__ import annotations

from dataclasses import dataclass

from farm.sandbox.callers import address_towards
from farm.sandbox.guests.base import GuestKind
from farm.sandbox.model import MODEL
from farm.sandbox.model.keys import (
    KEY_WITHOUT_CREDIT,
    OWN_ANTHROPIC_KEY,
    OWN_OPENAI_KEY,
    REFUSED_KEY,
)
from farm.sandbox.relay_way import CLIENT_HEADER
from farm.sandbox.report import (
    ControlReport,
    GuestsReport,
    HetznerReport,
    MailReport,
    ModelReport,
    Report,
    ScalewayReport,
    ServicesReport,
    SlackReport,
    StripeReport,
    TelegramReport,
    environment,
)
from farm.sandbox.slack.workspace import App
from farm.sandbox.state import Identity
from farm.sandbox.telegram.chats import Bot

_LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Ready:
    """What is there to chat through from the first start on."""

    bot: Bot
    manager: Bot
    app: App


def report_of(kept: Identity, guests: GuestKind, ready: Ready, *, relayed: bool) -> Report:
    """Where everything is, and the environment that points a farm at it."""
    ports = kept.ports
    services = ServicesReport(
        hetzner=HetznerReport(f"http://{_LOOPBACK}:{ports.hetzner}/v1", kept.hetzner_token),
        scaleway=ScalewayReport(
            endpoint=f"http://{_LOOPBACK}:{ports.scaleway}",
            project=kept.scaleway_project,
            access_key=kept.scaleway_access_key,
            secret_key=kept.scaleway_secret_key,
        ),
        model=_model(kept, f"http://{guests.service_host}:{ports.model}"),
        telegram=_telegram(f"http://{guests.service_host}:{ports.telegram}", ready),
        slack=_slack(f"http://{guests.service_host}:{ports.slack}", ready.app),
        stripe=StripeReport(
            endpoint=f"http://{_LOOPBACK}:{ports.stripe}",
            key=kept.stripe_key,
            webhook_secret=kept.stripe_webhook_secret,
        ),
        mail=MailReport(f"{_LOOPBACK}:{ports.smtp}", f"http://{_LOOPBACK}:{ports.mailbox}/"),
        control=ControlReport(f"http://{_LOOPBACK}:{ports.control}"),
    )
    return Report(
        guests=GuestsReport(guests.kind, guests.why, guests.ssh_port),
        services=services,
        env=environment(
            services,
            ssh_port=guests.ssh_port,
            host_address=address_towards(guests.service_host),
        )
        | (_relayed(f"http://{guests.service_host}:{ports.relay}") if relayed else {}),
    )


def _relayed(base: str) -> dict[str, str]:
    """Where machines reach the farm's relay, and the header that says which of them calls."""
    return {"RELAY_URL": base, "RELAY_CLIENT_HEADER": CLIENT_HEADER}


def probes(report: Report) -> tuple[str, ...]:
    """A URL of each HTTP service, to ask whether it answers."""
    services = report.services
    return (
        f"{services.hetzner.endpoint}/locations",
        f"{services.scaleway.endpoint}/marketplace/v2/local-images",
        f"{services.model.endpoint}/models",
        services.telegram.page,
        services.slack.page,
        f"{services.stripe.endpoint}/v1/balance",
        services.mail.page,
        f"{services.control.endpoint}/status",
    )


def _model(kept: Identity, base: str) -> ModelReport:
    return ModelReport(
        endpoint=f"{base}/v1",
        anthropic_endpoint=base,
        key=kept.model_key,
        model=MODEL,
        own_openai_key=OWN_OPENAI_KEY,
        own_anthropic_key=OWN_ANTHROPIC_KEY,
        key_without_credit=KEY_WITHOUT_CREDIT,
        refused_key=REFUSED_KEY,
    )


def _slack(base: str, app: App) -> SlackReport:
    return SlackReport(
        endpoint=f"{base}/api",
        app=app.id,
        bot_token=app.bot_token,
        app_token=app.app_token,
        page=f"{base}/",
    )


def _telegram(base: str, ready: Ready) -> TelegramReport:
    return TelegramReport(
        endpoint=base,
        bot_token=ready.bot.token,
        bot_username=ready.bot.username,
        manager_token=ready.manager.token,
        page=f"{base}/",
    )
