"""cloud-init of a simulated guest: does what the user-data says, once for an instance."""

from __future__ import annotations

import posixpath
import shlex
from collections.abc import Mapping
from typing import TYPE_CHECKING

import yaml

from farm.sandbox.guests.simulated.cloudmodules import (
    CONFIG,
    EVERY_BOOT,
    FINAL,
    INIT,
    MODULES,
    Problem,
)
from farm.sandbox.guests.simulated.process import Buffer, Bytes, Process
from farm.sandbox.wire import Json

if TYPE_CHECKING:
    from farm.sandbox.guests.simulated.machine import Machine

LOG = "/var/log/cloud-init.log"
OUTPUT = "/var/log/cloud-init-output.log"


class CloudInit:
    """One boot's run. `failed` says that something in the user-data could not be done."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._text = machine.identity.user_data
        self._config: Mapping[str, Json] = {}
        self.failed = False

    @property
    def _folder(self) -> str:
        return f"/var/lib/cloud/instances/{self._machine.identity.instance_id}"

    async def initialise(self) -> None:
        """Before sshd: host keys, users, files, the host name."""
        files = self._machine.files
        self._first = not files.is_dir(f"{self._folder}/sem")
        files.make_dir(f"{self._folder}/sem", parents=True)
        self._link()
        self._config = self._parsed()
        self._report_unknown()
        await self._stage(INIT)

    def _link(self) -> None:
        files, link = self._machine.files, "/var/lib/cloud/instance"
        if files.find(link, follow=False) is not None:
            files.remove(link)
        files.symlink(self._folder, link)
        files.write(f"{self._folder}/user-data.txt", self._text.encode(), mode=0o600)

    async def finish(self) -> None:
        """After sshd: packages, then the commands of the user-data."""
        await self._stage(CONFIG)
        await self._stage(FINAL)
        if self._first and self._text.startswith("#!"):
            await self._script(self._text)
        status = "error" if self.failed else "done"
        self._machine.files.write(f"{self._folder}/boot-finished", f"{status}\n".encode())
        self._machine.cloud_init = status

    def _parsed(self) -> Mapping[str, Json]:
        if not self._text.startswith("#cloud-config"):
            if self._text.strip() and not self._text.startswith("#!"):
                self.error("Unhandled non-multipart (text/x-not-multipart) userdata")
            return {}
        try:
            config = parsed_yaml(self._text)
        except yaml.YAMLError as error:
            self.error(f"Failed loading yaml blob. Invalid format: {error}")
            return {}
        if not isinstance(config, dict):
            self.error("Failed loading yaml blob. Yaml load allows dict root types only.")
            return {}
        return config

    def _report_unknown(self) -> None:
        for key in self._config:
            if key not in MODULES:
                self.error(f"Invalid cloud-config provided: {key} is nothing this machine knows")

    async def _stage(self, keys: tuple[str, ...]) -> None:
        for key in keys:
            if not (self._first or key in EVERY_BOOT):
                continue
            try:
                await MODULES[key](self, self._config.get(key))
            except (Problem, OSError, KeyError, ValueError, TypeError, AttributeError) as error:
                self.error(f"Running module {key} failed: {error!r}")

    def error(self, text: str) -> None:
        """A line in the log that makes the whole run an error."""
        self.failed = True
        self.log(f"ERROR {text}")

    def log(self, text: str) -> None:
        """A line in the log."""
        self._machine.files.write(LOG, f"cloud-init: {text}\n".encode(), append=True, mode=0o640)

    @property
    def machine(self) -> Machine:
        """The machine that boots."""
        return self._machine

    @property
    def config(self) -> Mapping[str, Json]:
        """The whole user-data, for modules that look at more than one key."""
        return self._config

    async def run(self, argv: list[str], stdin: bytes = b"") -> int:
        """Run a program as root with its output in cloud-init's log."""
        buffer = Buffer()
        process = Process(self._machine, argv, stdin=Bytes(stdin), stdout=buffer, stderr=buffer)
        code = await self._machine.run(process)
        self._machine.files.write(OUTPUT, bytes(buffer.content), append=True, mode=0o640)
        return code

    async def commands(self, lines: Json) -> None:
        """runcmd and bootcmd: one script of all lines; one that fails does not stop the next."""
        if not isinstance(lines, list):
            raise Problem("a list of commands is expected")
        texts = [
            shlex.join(map(str, line)) if isinstance(line, list) else str(line) for line in lines
        ]
        await self._script("#!/bin/sh\n" + "\n".join(texts) + "\n")

    async def _script(self, text: str) -> None:
        path = posixpath.join(self._folder, "scripts", "runcmd")
        files = self._machine.files
        files.make_dir(posixpath.dirname(path), parents=True)
        files.write(path, text.encode(), mode=0o700)
        code = await self.run([path])
        if code:
            self.error(f"Failed to run {path}: exit code {code}")


def parsed_yaml(text: str) -> Json:
    """A YAML document, by the parser in C where there is one: it is ten times faster."""
    loader = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
    value: Json = yaml.load(text, Loader=loader)  # noqa: S506  both are safe loaders
    return value
