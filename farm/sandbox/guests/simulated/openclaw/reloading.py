"""What a running gateway takes of a config that is written anew, without another start."""

from __future__ import annotations

from farm.sandbox.guests.simulated.openclaw.config import Config, ConfigInvalid, config_path, load
from farm.sandbox.guests.simulated.process import Process

LASTING = (
    "gateway.port",
    "gateway.bind",
    "gateway.tls",
    "gateway.auth.mode",
    "gateway.auth.token",
    "gateway.auth.password",
    "channels",
    "plugins",
)
"""What this one is told by another start alone; the real one takes some of it, later."""


class Reloading:
    """Looks whether the config's file is another one than was read."""

    def __init__(self, process: Process, config: Config) -> None:
        self._process, self._config = process, config
        self._read = self._text()

    def look(self) -> None:
        """Take it over if it is good, and changes nothing that lasts; else the old one stays."""
        text = self._text()
        if text == self._read:
            return
        self._read = text
        try:
            fresh = load(self._process)
        except ConfigInvalid as error:
            self._process.complain(f"[reload] config reload skipped (invalid config): {error}")
            return
        if any(fresh.at(path) != self._config.at(path) for path in LASTING):
            self._process.complain("[reload] config change requires gateway restart")
            return
        self._config.take(fresh)
        self._process.say("[reload] config hot reload applied")

    def _text(self) -> str:
        try:
            return self._process.files.text(config_path(self._process))
        except OSError:
            return ""
