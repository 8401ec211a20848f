"""The service manager of a guest: starts, watches and restarts what unit files describe."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from farm.sandbox.guests.simulated.accounts import credentials, find_user
from farm.sandbox.guests.simulated.files import ROOT, Credentials
from farm.sandbox.guests.simulated.journal import JournalSink
from farm.sandbox.guests.simulated.process import DEFAULT_PATH, Process
from farm.sandbox.guests.simulated.units import (
    Unit,
    command_line,
    environment,
    environment_file,
    full_name,
    load_unit,
)

if TYPE_CHECKING:
    from farm.sandbox.guests.simulated.machine import Machine


LOOK_AGAIN = 0.02
"""Seconds between two looks at cloud-init."""


class Active(StrEnum):
    """systemd's ActiveState."""

    INACTIVE = "inactive"
    ACTIVATING = "activating"
    ACTIVE = "active"
    DEACTIVATING = "deactivating"
    FAILED = "failed"


class UnitError(Exception):
    """A job failed; the message is what systemctl prints, `code` its exit code."""

    def __init__(self, message: str, code: int = 1) -> None:
        super().__init__(message)
        self.code = code


@dataclass(slots=True)
class Service:
    """How one unit stands. `starts` are the times of recent starts, in Unix seconds."""

    unit: Unit
    active: Active = Active.INACTIVE
    sub: str = "dead"
    result: str = "success"
    status: int = 0
    pid: int = 0
    restarts: int = 0
    starts: list[float] = field(default_factory=list)
    watcher: asyncio.Task[None] | None = None

    def become(self, active: Active, sub: str) -> None:
        """Change state."""
        self.active, self.sub = active, sub


class Services:
    """All units of a machine that have been touched since its boot."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._known: dict[str, Service] = {}
        self._starting: set[str] = set()

    def find(self, name: str) -> Service | None:
        """The unit by its name, loaded now if it was not running; None if there is no such unit."""
        name = full_name(name)
        known = self._known.get(name)
        running = known is not None and known.active in {Active.ACTIVE, Active.ACTIVATING}
        if running:
            return known
        unit = load_unit(self._machine.files, name)
        if unit is None:
            return known
        if known is None:
            known = self._known[name] = Service(unit)
        known.unit = unit
        return known

    def reload(self) -> None:
        """daemon-reload: running units take their new text, too."""
        for name, service in self._known.items():
            service.unit = load_unit(self._machine.files, name) or service.unit

    def known(self) -> list[Service]:
        """The units touched so far."""
        return list(self._known.values())

    def _required(self, name: str) -> Service:
        service = self.find(name)
        if service is None:
            raise UnitError(f"Unit {full_name(name)} not found.", 5)
        if service.unit.masked:
            raise UnitError(f"Unit {full_name(name)} is masked.")
        return service

    async def start(self, name: str) -> None:
        """Start a unit and what it needs; UnitError if a job fails."""
        service = self._required(name)
        if service.active in {Active.ACTIVE, Active.ACTIVATING} or name in self._starting:
            return
        self._starting.add(name)
        try:
            await self._after_cloud_init(service)
            await self._start_needed(service)
            service.restarts = 0
            await self._launch(service)
        finally:
            self._starting.discard(name)

    async def _after_cloud_init(self, service: Service) -> None:
        """The one ordering that takes long: what comes after cloud-init waits for its end."""
        if "cloud-final.service" in service.unit.names("Unit.After"):
            while self._machine.cloud_init in {"not started", "running"}:
                await self._machine.sleep(LOOK_AGAIN)

    async def _start_needed(self, service: Service) -> None:
        for needed in [*service.unit.names("Unit.Wants"), *service.unit.names("Unit.Requires")]:
            if not needed.endswith(".service") or self.find(needed) is None:
                if needed in service.unit.names("Unit.Requires") and needed.endswith(".service"):
                    raise UnitError(f"Unit {needed} not found.", 5)
                continue
            try:
                await self.start(needed)
            except UnitError:
                if needed in service.unit.names("Unit.Requires"):
                    name = service.unit.name
                    message = (
                        f"A dependency job for {name} failed. See 'journalctl -xe' for details."
                    )
                    raise UnitError(message) from None

    def _limit(self, service: Service) -> None:
        now = self._machine.seconds()
        interval = service.unit.seconds("Unit.StartLimitIntervalSec", 10)
        burst = int(service.unit.last("Unit.StartLimitBurst", "5"))
        service.starts = [at for at in service.starts if at > now - interval]
        if interval > 0 and len(service.starts) >= burst:
            service.become(Active.FAILED, "failed")
            service.result = "start-limit-hit"
            self.log(service, "Start request repeated too quickly.")
            raise UnitError(
                f"Job for {service.unit.name} failed because start of the service was attempted"
                " too often."
            )
        service.starts.append(now)

    async def _launch(self, service: Service) -> None:
        self._limit(service)
        service.become(Active.ACTIVATING, "start-pre")
        service.result, service.status = "success", 0
        try:
            process = self._process(service)
        except UnitError as error:
            self._fail(service, "resources", 0, str(error))
            raise UnitError(f"Job for {service.unit.name} failed: {error}") from None
        for key in ("ExecCondition", "ExecStartPre"):
            await self._auxiliary(service, process, key)
        commands = service.unit.commands("Service.ExecStart")
        if service.unit.last("Service.Type", "simple") == "oneshot":
            await self._one_shot(service, process, commands)
        else:
            self._main(service, process, commands[0] if commands else "/bin/false")

    async def _auxiliary(self, service: Service, process: Process, key: str) -> None:
        for text in service.unit.commands(f"Service.{key}"):
            code, may_fail = await self._command(service, process, text)
            if code and not may_fail:
                self._fail(service, "exit-code", code, f"Control process exited, status={code}")
                raise UnitError(_job_failed(service.unit.name))

    async def _command(self, service: Service, process: Process, text: str) -> tuple[int, bool]:
        line = command_line(text, {**process.env, "MAINPID": str(service.pid)})
        child = self._child(process, line.argv)
        if line.as_root:
            child.who = ROOT
        return await self._machine.run(child), line.may_fail

    async def _one_shot(self, service: Service, process: Process, commands: list[str]) -> None:
        service.become(Active.ACTIVATING, "start")
        for text in commands:
            code, may_fail = await self._command(service, process, text)
            if not self._clean(service, code) and not may_fail:
                self._fail(service, "exit-code", code, f"Main process exited, status={code}")
                raise UnitError(_job_failed(service.unit.name))
        stays = service.unit.yes("Service.RemainAfterExit")
        service.become(*((Active.ACTIVE, "exited") if stays else (Active.INACTIVE, "dead")))
        self.log(service, f"Finished {service.unit.last('Unit.Description', service.unit.name)}.")

    def _main(self, service: Service, process: Process, text: str) -> None:
        line = command_line(text, process.env)
        service.pid = self._machine.start(self._child(process, line.argv))
        service.become(Active.ACTIVE, "running")
        self.log(service, f"Started {service.unit.last('Unit.Description', service.unit.name)}.")
        task = self._machine.processes[service.pid].task
        loop = asyncio.get_running_loop()
        service.watcher = loop.create_task(self._watch(service, task))

    def _child(self, process: Process, argv: list[str]) -> Process:
        return Process(
            self._machine,
            argv,
            dict(process.env),
            process.cwd,
            process.who,
            stdout=process.stdout,
            stderr=process.stderr,
            umask=process.umask,
            unit=process.unit,
        )

    async def _watch(self, service: Service, task: asyncio.Task[int]) -> None:
        await asyncio.wait([task])
        if task.cancelled() or service.active is not Active.ACTIVE:
            return
        code = 70 if task.exception() else task.result()
        service.pid = 0
        # A missing program ends with 203 under systemd, not with a shell's 127.
        code = 203 if code == 127 else code
        clean = self._clean(service, code)
        self.log(service, f"Main process exited, code=exited, status={code}")
        if clean:
            service.become(Active.INACTIVE, "dead")
        else:
            self._fail(service, "exit-code", code, "Failed with result 'exit-code'.")
        service.status = code
        if self._restarts(service, code, clean=clean):
            await self._again(service)

    def _restarts(self, service: Service, code: int, *, clean: bool) -> bool:
        if str(code) in service.unit.names("Service.RestartPreventExitStatus"):
            return False
        wish = service.unit.last("Service.Restart", "no")
        return wish == "always" or (wish == "on-failure" and not clean)

    async def _again(self, service: Service) -> None:
        service.become(Active.ACTIVATING, "auto-restart")
        await self._machine.sleep(service.unit.seconds("Service.RestartSec", 0.1))
        if service.sub != "auto-restart":
            return
        service.restarts += 1
        try:
            await self._launch(service)
        except UnitError as error:
            self.log(service, str(error))

    def _clean(self, service: Service, code: int) -> bool:
        return code == 0 or str(code) in service.unit.names("Service.SuccessExitStatus")

    def _fail(self, service: Service, result: str, code: int, why: str) -> None:
        service.become(Active.FAILED, "failed")
        service.result, service.status, service.pid = result, code, 0
        self.log(service, why)

    def log(self, service: Service, text: str) -> None:
        """A line of systemd's own about a unit."""
        machine = self._machine
        machine.journal.add(machine.seconds(), service.unit.name, "systemd[1]", text)

    async def stop(self, name: str) -> None:
        """Stop a unit; content if it is not running."""
        service = self._required(name)
        before = service.active
        service.become(Active.DEACTIVATING, "stop")
        running = self._machine.processes.get(service.pid)
        if running is not None:
            running.task.cancel()
            await asyncio.wait([running.task])
        service.pid = 0
        failed = before is Active.FAILED
        service.become(*((Active.FAILED, "failed") if failed else (Active.INACTIVE, "dead")))
        if before is Active.ACTIVE:
            self.log(
                service, f"Stopped {service.unit.last('Unit.Description', service.unit.name)}."
            )

    async def restart(self, name: str) -> None:
        """Stop it if it runs, then start it."""
        await self.stop(name)
        self.reset_failed(name)
        await self.start(name)

    def forget_all(self) -> None:
        """The power is cut: nothing is watched or started again."""
        for service in self._known.values():
            service.become(Active.INACTIVE, "dead")
            if service.watcher is not None:
                service.watcher.cancel()

    async def stop_everything(self) -> None:
        """An orderly halt."""
        for name in list(self._known):
            await self.stop(name)

    def reset_failed(self, name: str) -> None:
        """Forget a failure."""
        service = self._required(name)
        if service.active is Active.FAILED:
            service.become(Active.INACTIVE, "dead")
            service.result = "success"

    async def reload_unit(self, name: str) -> None:
        """Run ExecReload; UnitError where the unit has none or does not run."""
        service = self._required(name)
        if service.active is not Active.ACTIVE:
            raise UnitError(f"{service.unit.name} is not active, cannot reload.")
        commands = service.unit.commands("Service.ExecReload")
        if not commands:
            raise UnitError(
                f"Failed to reload {service.unit.name}: Job type reload is not applicable for unit"
                f" {service.unit.name}."
            )
        process = self._process(service)
        for text in commands:
            code, may_fail = await self._command(service, process, text)
            if code and not may_fail:
                raise UnitError(_job_failed(service.unit.name))

    def _process(self, service: Service) -> Process:
        unit, machine = service.unit, self._machine
        who, env = self._user(unit)
        env |= environment(unit.all("Service.Environment"))
        for path in unit.all("Service.EnvironmentFile"):
            env |= self._environment_file(path)
        sink = JournalSink(machine.journal, machine.seconds(), unit.name, unit.name.split(".")[0])
        cwd = unit.last("Service.WorkingDirectory", "/").lstrip("-")
        umask = int(unit.last("Service.UMask", "0022"), 8)
        self._folders(unit, who)
        return Process(
            machine,
            [unit.name],
            env,
            cwd,
            who,
            stdout=sink,
            stderr=sink,
            umask=umask,
            unit=unit.name,
        )

    def _user(self, unit: Unit) -> tuple[Credentials, dict[str, str]]:
        name = unit.last("Service.User", "root")
        user = find_user(self._machine.files, name)
        if user is None:
            raise UnitError(
                f"Failed to determine user credentials: no user {name} (status=217/USER)"
            )
        env = {"PATH": DEFAULT_PATH, "LANG": "C.UTF-8", "INVOCATION_ID": "0" * 32}
        if unit.last("Service.User"):
            env |= {"HOME": user.home, "USER": user.name, "LOGNAME": user.name, "SHELL": user.shell}
        return credentials(self._machine.files, user), env

    def _environment_file(self, path: str) -> dict[str, str]:
        optional, path = path.startswith("-"), path.lstrip("-")
        try:
            return environment_file(self._machine.files.text(path))
        except OSError:
            if optional:
                return {}
            raise UnitError(f"Failed to load environment files: {path} cannot be read") from None

    def _folders(self, unit: Unit, who: Credentials) -> None:
        bases = {
            "RuntimeDirectory": "/run",
            "StateDirectory": "/var/lib",
            "CacheDirectory": "/var/cache",
            "LogsDirectory": "/var/log",
        }
        for key, base in bases.items():
            mode = int(unit.last(f"Service.{key}Mode", "0755"), 8)
            for name in unit.names(f"Service.{key}"):
                path = f"{base}/{name}"
                self._machine.files.make_dir(path, mode, parents=True)
                self._machine.files.chown(path, who.uid, who.gid)


def _job_failed(name: str) -> str:
    return (
        f"Job for {name} failed because the control process exited with error code.\n"
        f'See "systemctl status {name}" and "journalctl -xeu {name}" for details.'
    )
