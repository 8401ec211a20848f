"""Where everything of a running sandbox is: one line of JSON for programs, a table for people."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from rich.console import Console
from rich.table import Column, Table


@dataclass(frozen=True, slots=True)
class GuestsReport:
    """Which machines stand behind the clouds, why these, and the port of their sshd."""

    kind: str
    why: str
    ssh_port: int


@dataclass(frozen=True, slots=True)
class HetznerReport:
    """The Hetzner Cloud API: a base URL with version, and a project's token."""

    endpoint: str
    token: str


@dataclass(frozen=True, slots=True)
class ScalewayReport:
    """Scaleway's API: its base URL, a project's id and its key."""

    endpoint: str
    project: str
    access_key: str
    secret_key: str


@dataclass(frozen=True, slots=True)
class ModelReport:
    """The model, OpenAI's way at `endpoint` and Anthropic's at `anthropic_endpoint`.

    `key` is the farm's; the other keys stand for what a member may paste.
    """

    endpoint: str
    anthropic_endpoint: str
    key: str
    model: str
    own_openai_key: str
    own_anthropic_key: str
    key_without_credit: str
    refused_key: str


@dataclass(frozen=True, slots=True)
class TelegramReport:
    """The Bot API's base URL, a ready-made bot's token, and the page of a person with a phone."""

    endpoint: str
    bot_token: str
    bot_username: str
    manager_token: str
    page: str


@dataclass(frozen=True, slots=True)
class SlackReport:
    """The Web API's base URL, a ready-made app with its tokens, and the page of its people."""

    endpoint: str
    app: str
    bot_token: str
    app_token: str
    page: str


@dataclass(frozen=True, slots=True)
class StripeReport:
    """Stripe's API, hosted pages beside it: the base URL, the secret key, and that of webhooks."""

    endpoint: str
    key: str
    webhook_secret: str


@dataclass(frozen=True, slots=True)
class MailReport:
    """Where to send mail (host:port, SMTP), and the page on which it is read."""

    smtp: str
    page: str


@dataclass(frozen=True, slots=True)
class ControlReport:
    """The endpoint for tests: inventory, invoice, faults, mails, chats, model script, clock."""

    endpoint: str


@dataclass(frozen=True, slots=True)
class ServicesReport:
    """Every service by its name."""

    hetzner: HetznerReport
    scaleway: ScalewayReport
    model: ModelReport
    telegram: TelegramReport
    slack: SlackReport
    stripe: StripeReport
    mail: MailReport
    control: ControlReport


@dataclass(frozen=True, slots=True)
class Report:
    """Everything of one sandbox; `env` points a farm at it."""

    guests: GuestsReport
    services: ServicesReport
    env: Mapping[str, str]


def environment(services: ServicesReport, *, ssh_port: int, host_address: str) -> dict[str, str]:
    """The environment in which a farm uses these services instead of the real world's.

    `host_address` is the one by which the guests see this machine.
    """
    host, _, port = services.mail.smtp.rpartition(":")
    return {
        "HETZNER_ENDPOINT": services.hetzner.endpoint,
        "HETZNER_TOKEN": services.hetzner.token,
        "SCALEWAY_ENDPOINT": services.scaleway.endpoint,
        "SCALEWAY_ACCESS_KEY": services.scaleway.access_key,
        "SCALEWAY_SECRET_KEY": services.scaleway.secret_key,
        "SCALEWAY_PROJECT_ID": services.scaleway.project,
        "SANDBOX_MODEL_ENDPOINT": services.model.endpoint,
        "SANDBOX_MODEL_KEY": services.model.key,
        "SANDBOX_MODEL": services.model.model,
        "OPENAI_ENDPOINT": services.model.endpoint,
        "ANTHROPIC_ENDPOINT": services.model.anthropic_endpoint,
        "TELEGRAM_ENDPOINT": services.telegram.endpoint,
        "TELEGRAM_MANAGER_TOKEN": services.telegram.manager_token,
        "OPENROUTER_ENDPOINT": services.model.endpoint,
        "MISTRAL_ENDPOINT": services.model.endpoint,
        "GOOGLE_ENDPOINT": f"{services.model.anthropic_endpoint}/v1beta",
        "SLACK_ENDPOINT": services.slack.endpoint,
        "STRIPE_API_BASE": services.stripe.endpoint,
        "STRIPE_SECRET_KEY": services.stripe.key,
        "STRIPE_WEBHOOK_SECRET": services.stripe.webhook_secret,
        "EMAIL_HOST": host,
        "EMAIL_PORT": port,
        "SANDBOX_MAILBOX_URL": services.mail.page,
        "SANDBOX_CONTROL_URL": services.control.endpoint,
        "SANDBOX_HOST_ADDRESS": host_address,
        "SSH_PORT": str(ssh_port),
    }


def as_line(report: Report) -> str:
    """The report as one line of JSON."""
    return json.dumps(asdict(report))


def print_table(report: Report, console: Console) -> None:
    """The report for a person who started the sandbox by hand."""
    table = Table(
        Column("Service", no_wrap=True),
        Column("Address, and the key to show", overflow="fold"),
        title="The sandbox is up",
    )
    services = report.services
    table.add_row("Hetzner Cloud API", f"{services.hetzner.endpoint}\n{services.hetzner.token}")
    scaleway = services.scaleway
    table.add_row("Scaleway API", f"{scaleway.endpoint}\n{scaleway.secret_key}")
    table.add_row("Model, OpenAI's way", f"{services.model.endpoint}\n{services.model.key}")
    table.add_row("Model, Anthropic's way", f"{services.model.anthropic_endpoint}\nthe same key")
    table.add_row("Telegram", f"{services.telegram.endpoint}\n{services.telegram.bot_token}")
    table.add_row("A phone with Telegram", services.telegram.page)
    table.add_row("Slack", services.slack.endpoint)
    table.add_row("People in Slack", services.slack.page)
    table.add_row("Stripe", f"{services.stripe.endpoint}\n{services.stripe.key}")
    table.add_row("Mail (SMTP)", services.mail.smtp)
    table.add_row("Mailbox", services.mail.page)
    table.add_row("Control endpoint", services.control.endpoint)
    console.print(table)
    console.print(f"Guests: {report.guests.kind}. {report.guests.why}")
    console.print("Ctrl-C ends it; to its machines that is a power cut.")
