"""The chat apps an agent answers in: with whom, by what secrets, and the software two of them need.

OpenClaw speaks Telegram by itself. For Slack and WhatsApp it trusts only what its own installer put
into its state, so that runs on the machine, as the agent's user and beside a running gateway.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from provisioning.errors import Transient
from provisioning.remotefiles import RemoteFile
from provisioning.ssh import Shell

_SCRIPT = "/usr/local/sbin/farm-channel"
_FILES = Path(__file__).resolve().parent.parent / "templates" / "cloud-init" / "files"
_PROJECTS = "/var/lib/openclaw/.openclaw/npm/projects"
_BOOKS = "/var/lib/openclaw/.openclaw/state/openclaw.sqlite"
_LOOK = (
    "import sqlite3, sys; "
    "rows = sqlite3.connect(sys.argv[1], uri=True).execute('SELECT * FROM config_machine_state'); "
    "sys.exit(not any(sys.argv[2] in str(row) for row in rows))"
)
"""Whether OpenClaw's own books know of a plugin: without that it does not trust what lies there."""


@dataclass(frozen=True, slots=True)
class Telegram:
    """The agent's bot, and the numeric ids of the only people it answers."""

    bot_token: str = field(repr=False)
    allowed_ids: tuple[int, ...]
    api_root: str | None = None


@dataclass(frozen=True, slots=True)
class Slack:
    """The agent's app in socket mode, and the ids of the only members it answers.

    `api_url` replaces Slack's own and ends with a slash.
    """

    bot_token: str = field(repr=False)
    app_token: str = field(repr=False)
    allowed_ids: tuple[str, ...]
    api_url: str | None = None


@dataclass(frozen=True, slots=True)
class WhatsApp:
    """The only numbers it answers, in E.164; whose account it uses is known once one scanned."""

    allowed_numbers: tuple[str, ...]


class Plugin(StrEnum):
    """The chat apps whose software is no part of OpenClaw's own package."""

    SLACK = "slack"
    WHATSAPP = "whatsapp"


class PluginState(StrEnum):
    """How far a plugin is on a machine."""

    MISSING = "missing"
    INSTALLING = "installing"
    INSTALLED = "installed"
    FAILED = "failed"


def plugin_state(shell: Shell, plugin: Plugin, version: str) -> PluginState:
    """What the machine itself shows of the plugin in that version of OpenClaw's."""
    unit, there = _unit_name(plugin), _is_there(plugin, version)
    asked = (f"systemctl is-active {unit}", f"systemctl is-failed {unit}", there)
    said = shell.run(("sh", "-c", "; ".join((*asked, "true")))).stdout.decode(errors="replace")
    words = said.split()
    if "activating" in words:
        return PluginState.INSTALLING
    if "installed" in words:
        return PluginState.INSTALLED
    return PluginState.FAILED if "failed" in words else PluginState.MISSING


def install_plugin(shell: Shell, plugin: Plugin, version: str) -> None:
    """Begin to install it; look with `plugin_state`. It takes a minute and stops nobody."""
    unit = _unit_name(plugin)
    shell.write(
        (
            RemoteFile(_SCRIPT, (_FILES / "farm-channel").read_bytes(), 0o755, "root:root"),
            RemoteFile(f"/etc/systemd/system/{unit}", _unit(plugin, version), 0o644, "root:root"),
        )
    )
    for words in (("daemon-reload",), ("start", "--no-block", unit)):
        if shell.run(("systemctl", *words), timeout=60.0).exit_code != 0:
            raise Transient("command_failed", f"The machine refuses to install {plugin}.")


def _is_there(plugin: Plugin, version: str) -> str:
    """A shell's words that say "installed" if the package is there and in OpenClaw's books."""
    package = f"{_PROJECTS}/openclaw-{plugin}-*/node_modules/@openclaw/{plugin}/package.json"
    books = f"'file:{_BOOKS}?mode=ro' '@openclaw/{plugin}@'"
    known = f'runuser -u openclaw -- python3 -c "{_LOOK}" {books}'
    is_that = f'grep -qsF \'"version": "{version}"\' {package}'
    return f"{is_that} && {{ test ! -e {_BOOKS} || {known}; }} && echo installed"


def _unit_name(plugin: Plugin) -> str:
    return f"farm-channel-{plugin}.service"


def _unit(plugin: Plugin, version: str) -> bytes:
    """It shares the gateway's /tmp, where OpenClaw keeps what guards its state from two writers."""
    return f"""\
[Unit]
Description=Install what the agent needs for {plugin}
JoinsNamespaceOf=openclaw.service

[Service]
Type=oneshot
User=openclaw
Group=openclaw
PrivateTmp=yes
TimeoutStartSec=900
ExecStart={_SCRIPT} {plugin} {version}
""".encode()
