"""The runtime's config: read as strictly as the runtime does, with its secrets resolved."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, field

from farm.sandbox.guests.simulated.files import Files
from farm.sandbox.guests.simulated.openclaw.json5 import read_json5
from farm.sandbox.guests.simulated.openclaw.schema import problems
from farm.sandbox.guests.simulated.process import Process
from farm.sandbox.wire import Json

BINDS = frozenset({"loopback", "lan", "tailnet", "auto", "custom"})


class ConfigInvalid(Exception):  # noqa: N818
    """The gateway does not start; `code` is its exit code (78 for a config it cannot use)."""

    def __init__(self, message: str, code: int = 78) -> None:
        super().__init__(message)
        self.code = code


@dataclass(slots=True)
class Config:
    """The config as a tree, and the secrets that could not be found."""

    tree: Mapping[str, Json]
    env: Mapping[str, str]
    files: Files
    degraded: list[str] = field(default_factory=list)
    token: str = ""
    """What opens the gateway's own API."""

    def at(self, path: str) -> Json:
        """The value at a dotted path, None if there is none."""
        value: Json = dict(self.tree)
        for name in path.split("."):
            if not isinstance(value, dict):
                return None
            value = value.get(name)
        return value

    def text(self, path: str, default: str = "") -> str:
        """The string at a path."""
        value = self.at(path)
        return value if isinstance(value, str) else default

    def yes(self, path: str) -> bool:
        """Whether there is `true` at a path."""
        return self.at(path) is True

    def words(self, path: str) -> list[str]:
        """The list of strings or numbers at a path."""
        value = self.at(path)
        return [str(item) for item in value] if isinstance(value, list) else []

    def secret(self, path: str) -> str | None:
        """A secret given as text or by reference; None, and degraded, if it is not there."""
        value = self.at(path)
        if isinstance(value, dict):
            found = self._referred(value)
            if not found:
                self.degraded.append(path)
            return found or None
        return value if isinstance(value, str) and value else None

    @property
    def agent_id(self) -> str:
        """By which word the agent goes whose turn it is."""
        entries = self.at("agents.entries")
        names = list(entries) if isinstance(entries, dict) else []
        return "main" if "main" in names or not names else names[0]

    def take(self, fresh: Config) -> None:
        """Go on with what is written now; what was read of it before is read anew."""
        self.tree, self.token = fresh.tree, fresh.token
        self.degraded.clear()

    def _referred(self, reference: Mapping[str, Json]) -> str | None:
        """{source: "env", id} or {source: "file", provider, id: "/name"} of a JSON object."""
        if reference.get("source") == "env":
            return self.env.get(str(reference.get("id")))
        path = self.text(f"secrets.providers.{reference.get('provider')}.path")
        if reference.get("source") != "file" or not path:
            return None
        try:
            kept = json.loads(self.files.text(path))
        except (OSError, ValueError):
            return None
        found = kept.get(str(reference.get("id")).lstrip("/")) if isinstance(kept, dict) else None
        return found if isinstance(found, str) else None


def config_path(process: Process) -> str:
    """Where the runtime looks for its config."""
    home = process.env.get("HOME", "/root")
    state = process.env.get("OPENCLAW_STATE_DIR", posixpath.join(home, ".openclaw"))
    return process.env.get("OPENCLAW_CONFIG_PATH", posixpath.join(state, "openclaw.json"))


def read_tree(process: Process) -> Mapping[str, Json]:
    """The config's tree; ConfigInvalid if it is missing or no JSON5 object."""
    path = config_path(process)
    try:
        tree = read_json5(process.files.text(path))
    except OSError as error:
        raise ConfigInvalid(f"Config cannot be read: {path}: {error.strerror}") from error
    except ValueError as error:
        raise ConfigInvalid(f"Config is not valid: {error}") from error
    if not isinstance(tree, dict):
        raise ConfigInvalid("Config is not valid: an object is expected")
    return tree


def load(process: Process) -> Config:
    """The config a gateway starts with; ConfigInvalid says why it does not."""
    tree = read_tree(process)
    if found := problems(tree):
        raise ConfigInvalid("Config invalid:\n" + "\n".join(f"  - {line}" for line in found))
    config = Config(tree, process.env, process.files)
    if config.text("gateway.mode") != "local":
        raise ConfigInvalid("Gateway start blocked: set gateway.mode=local (current: unset)")
    if config.text("gateway.bind", "loopback") not in BINDS:
        raise ConfigInvalid("gateway.bind: invalid value", 1)
    token = config.secret("gateway.auth.token")
    if token is None and config.text("gateway.auth.mode", "token") == "token":
        raise ConfigInvalid("Gateway auth token cannot be resolved", 1)
    config.token = token or process.env.get("OPENCLAW_GATEWAY_PASSWORD", "")
    return config
