"""What an agent's owner wants of its runtime, and the files on the machine that say so."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from provisioning.channels import Slack, Telegram, WhatsApp
from provisioning.errors import Rejected
from provisioning.fence import fence
from provisioning.quoting import environment_line
from provisioning.remotefiles import RemoteFile

USER = "openclaw"
PORT = 18789
HOME = "/var/lib/openclaw"
STATE = f"{HOME}/.openclaw"
WORKSPACE = f"{STATE}/workspace"
FOLDER = "/etc/openclaw"
CONFIG = f"{FOLDER}/openclaw.json"
SECRETS = "/etc/openclaw/openclaw.env"
KEYS = "/etc/openclaw/keys.json"
"""What a running gateway reads anew when its config changes: a change of key needs no restart."""
CERTIFICATE = "/etc/openclaw/gateway.pem"
PRIVATE_KEY = "/etc/openclaw/gateway.key"
SCOPES = ["operator.read", "operator.write", "operator.approvals", "operator.questions"]
"""What somebody who comes through the edge may do; the farm alone is its administrator."""
BUNDLED = frozenset({"anthropic", "google", "openai", "openrouter"})
"""Model providers that OpenClaw knows by itself; any other is told it as OpenAI-compatible."""
_CUSTOM_PROVIDER = "farm"
_COMPATIBLE = {"google": "google-generative-ai", "openai": "openai-completions"}
"""The dialect at a given address: OpenAI's usual one is rare elsewhere, Google's is not guessed."""
_VARIABLE = re.compile(r"\$\{(?=[A-Z_][A-Z0-9_]*\})")
"""What OpenClaw would replace by an environment variable, secrets included."""
_TEMPLATES = Path(__file__).resolve().parent.parent / "templates" / "runtime"
_PERSONA = ("SOUL.md", "AGENTS.md", "IDENTITY.md", "USER.md")


class Tools(StrEnum):
    """What a blueprint lets its agent do: work on its machine, or talk only."""

    FULL = "full"
    TALK = "talk"


@dataclass(frozen=True, slots=True)
class ModelAccess:
    """Whose model answers. `base_url` replaces the provider's own; a provider that is not in
    BUNDLED must have one. `api` is OpenClaw's word for the dialect, where it is not the usual."""

    provider: str
    model: str
    key: str = field(repr=False)
    base_url: str | None = None
    api: str | None = None


@dataclass(frozen=True, slots=True)
class Edge:
    """Through whom people reach the agent: proxies that have proved who asks.

    `addresses` are theirs, and nobody else reaches the gateway's port; `people` are the names they
    give for those who may come in; `certificate` and `private_key`, both PEM, are the machine's.
    """

    addresses: tuple[str, ...]
    people: tuple[str, ...]
    certificate: str
    private_key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class RuntimeSettings:
    """One agent as it shall run. `control_ui_origin` is the scheme, host and port people open.

    Without an `edge` the gateway listens on the machine's own loopback only. `agent_id` is the
    runtime's own word for the agent, under which it keeps what was said.
    """

    agent_name: str
    member: str
    language: str
    soul: str
    tools: Tools
    model: ModelAccess
    gateway_token: str = field(repr=False)
    control_ui_origin: str
    heap_mb: int
    runtime_version: str
    telegram: Telegram | None = None
    slack: Slack | None = None
    whatsapp: WhatsApp | None = None
    edge: Edge | None = None
    agent_id: str = "main"


def files(settings: RuntimeSettings) -> tuple[RemoteFile, ...]:
    """Config and secrets, which the farm owns, and the persona, which is the agent's once there.

    Rejected with a sentence for a value that cannot be written.
    """
    return (*owned_files(settings), *_persona(settings))


def digest(settings: RuntimeSettings) -> str:
    """Changes whenever the machine's files must; tells nothing of the secrets in them."""
    seal = hmac.new(settings.gateway_token.encode(), settings.runtime_version.encode(), "sha256")
    for file in owned_files(settings):
        seal.update(hashlib.sha256(file.path.encode()).digest())
        seal.update(hashlib.sha256(file.content).digest())
    return seal.hexdigest()


def owned_files(settings: RuntimeSettings) -> tuple[RemoteFile, ...]:
    """What the farm alone writes: config, secrets, the fence."""
    edge = settings.edge
    return (
        RemoteFile(CONFIG, _config(settings).encode(), 0o640, "root:openclaw"),
        RemoteFile(SECRETS, _secrets(settings).encode(), 0o600, "root:root"),
        # The gateway takes such a file only from its own user, for whom alone it is.
        RemoteFile(KEYS, _keys(settings).encode(), 0o600, f"{USER}:{USER}"),
        fence(PORT, edge.addresses if edge else ()),
        *(_papers(edge) if edge else ()),
    )


def _papers(edge: Edge) -> tuple[RemoteFile, ...]:
    return (
        RemoteFile(CERTIFICATE, edge.certificate.encode(), 0o640, "root:openclaw"),
        RemoteFile(PRIVATE_KEY, edge.private_key.encode(), 0o640, "root:openclaw"),
    )


def _persona(settings: RuntimeSettings) -> tuple[RemoteFile, ...]:
    templates = _environment(str)
    owner = f"{USER}:{USER}"
    return tuple(
        RemoteFile(
            path=f"{WORKSPACE}/{name}",
            content=templates.get_template(f"{name}.j2")
            .render(settings=settings, works=settings.tools is Tools.FULL)
            .encode(),
            mode=0o600,
            owner=owner,
            keep=True,
        )
        for name in _PERSONA
    )


def primary_model(access: ModelAccess) -> str:
    """The model as the runtime names it, "provider/model"."""
    return _model(access).primary


@dataclass(frozen=True, slots=True)
class _Model:
    """The model as the config names it; `declared` is a model that OpenClaw must be told of."""

    provider: str
    primary: str
    declared: str
    base_url: str
    api: str


def _model(access: ModelAccess) -> _Model:
    if access.provider in BUNDLED:
        prefix = f"{access.provider}/"
        primary = prefix + access.model.removeprefix(prefix)
        api = access.api or (_COMPATIBLE.get(access.provider, "") if access.base_url else "")
        return _Model(access.provider, primary, "", access.base_url or "", api)
    if not access.base_url:
        raise Rejected(
            "model_without_address",
            f"{access.provider!r} is no provider we know: give its address.",
        )
    return _Model(
        provider=_CUSTOM_PROVIDER,
        primary=f"{_CUSTOM_PROVIDER}/{access.model}",
        declared=access.model,
        base_url=access.base_url,
        api=access.api or "openai-completions",
    )


def _config(settings: RuntimeSettings) -> str:
    allowed = _allowed(settings)
    return (
        _environment(_json_value)
        .get_template("openclaw.json.j2")
        .render(
            settings=settings,
            model=_model(settings.model),
            works=settings.tools is Tools.FULL,
            allowed=allowed,
            owners=[f"{app}:{person}" for app, people in allowed.items() for person in people],
            port=PORT,
            workspace=WORKSPACE,
            certificate=CERTIFICATE,
            private_key=PRIVATE_KEY,
            scopes=SCOPES,
            keys=KEYS,
        )
    )


def _allowed(settings: RuntimeSettings) -> dict[str, tuple[str, ...]]:
    """Whom the agent answers in each chat app it is linked to; they are its owners there."""
    allowed: dict[str, tuple[str, ...]] = {}
    if settings.telegram:
        allowed["telegram"] = tuple(str(number) for number in settings.telegram.allowed_ids)
    if settings.slack:
        allowed["slack"] = settings.slack.allowed_ids
    if settings.whatsapp:
        allowed["whatsapp"] = settings.whatsapp.allowed_numbers
    return allowed


def _secrets(settings: RuntimeSettings) -> str:
    opens = "OPENCLAW_GATEWAY_PASSWORD" if settings.edge else "OPENCLAW_GATEWAY_TOKEN"
    values = {
        opens: settings.gateway_token,
        "NODE_OPTIONS": f"--max-old-space-size={settings.heap_mb}",
    }
    if settings.telegram:
        values["TELEGRAM_BOT_TOKEN"] = settings.telegram.bot_token
    if settings.slack:
        values |= _slack_secrets(settings.slack)
    return "".join(environment_line(name, value) for name, value in values.items())


def _keys(settings: RuntimeSettings) -> str:
    return json.dumps({"model_key": settings.model.key})


def _slack_secrets(slack: Slack) -> dict[str, str]:
    values = {"SLACK_BOT_TOKEN": slack.bot_token, "SLACK_APP_TOKEN": slack.app_token}
    if slack.api_url:
        values["SLACK_API_URL"] = slack.api_url
    return values


def _environment(finalize: Callable[[object], str]) -> Environment:
    return Environment(
        loader=FileSystemLoader(_TEMPLATES),
        undefined=StrictUndefined,
        finalize=finalize,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # noqa: S701 - JSON and Markdown, not HTML
    )


def _json_value(value: object) -> str:
    """One JSON value in ASCII, which JSON5 reads alike; `${NAME}` in it stays what it is."""
    return _VARIABLE.sub("$${", json.dumps(value))
