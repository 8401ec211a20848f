"""systemctl, journalctl and what else talks to the service manager."""

# ruff: noqa: ARG001 - all verbs have the same signature, whether they use all of it or not.

from __future__ import annotations

import asyncio
import posixpath
from typing import TYPE_CHECKING

from farm.sandbox.guests.simulated.disk import NodeKind
from farm.sandbox.guests.simulated.process import Process
from farm.sandbox.guests.simulated.programs.arguments import Given, UsageError, read
from farm.sandbox.guests.simulated.systemd import Active, Service, UnitError
from farm.sandbox.guests.simulated.units import FOLDERS, Unit, full_name, load_unit

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

ENABLED = "/etc/systemd/system"
LONG = {
    "now": "now",
    "no-block": "no-block",
    "quiet": "q",
    "value": "value",
    "no-pager": "no-pager",
    "property=": "p",
    "all": "a",
    "full": "l",
    "force": "f",
    "system": "system",
    "plain": "plain",
    "no-legend": "no-legend",
    "type=": "t",
    "state=": "state",
    "lines=": "n",
    "wait": "wait",
    "runtime": "runtime",
}


async def systemctl(process: Process) -> int:
    """systemctl verb units."""
    given = read(process.arguments, "qalf", "ptnM", LONG)
    verb, *names = given.operands or ["list-units"]
    command = VERBS.get(verb)
    if command is None:
        return process.fail(f"Unknown command verb '{verb}'.")
    if process.who.uid and verb in CHANGING:
        return process.fail(f"Failed to {verb}: Access denied")
    try:
        return await command(process, given, [full_name(name) for name in names])
    except UnitError as error:
        process.complain(str(error) if error.code != 5 else f"Failed to {verb} {names[0]}: {error}")
        return error.code


async def change(process: Process, given: Given, names: list[str]) -> int:
    """start, stop, restart, try-restart, reload, reload-or-restart, reset-failed."""
    verb = given.operands[0]
    for name in names:
        job = _job(process, verb, name)
        if given.has("no-block"):
            if process.machine.services.find(name) is None:
                raise UnitError(f"Unit {name} not found.", 5)
            process.machine.detach(_quietly(job))
        else:
            await job
    return 0


def _job(process: Process, verb: str, name: str) -> Awaitable[None]:
    services = process.machine.services
    service = services.find(name)
    running = service is not None and service.active is Active.ACTIVE
    jobs: dict[str, Callable[[str], Awaitable[None]]] = {
        "start": services.start,
        "stop": services.stop,
        "restart": services.restart,
        "try-restart": services.restart if running else _nothing,
        "reload": services.reload_unit,
        "reload-or-restart": services.reload_unit if running else services.start,
        "kill": services.stop,
    }
    return jobs[verb](name)


async def _nothing(_name: str) -> None:
    return


async def _quietly(job: Awaitable[None]) -> int:
    try:
        await job
    except UnitError:
        # The journal has it; with --no-block nobody waits for the job's word.
        return 1
    return 0


async def reset_failed(process: Process, given: Given, names: list[str]) -> int:
    """reset-failed: forget failures and how often was started."""
    for name in names:
        service = process.machine.services.find(name)
        if service is None:
            raise UnitError(f"Unit {name} not loaded.")
        process.machine.services.reset_failed(name)
        service.starts.clear()
    return 0


async def is_active(process: Process, given: Given, names: list[str]) -> int:
    """is-active and is-failed: a word for each unit."""
    wanted = "failed" if given.operands[0] == "is-failed" else "active"
    states = [_state(process, name) for name in names]
    if not given.has("q"):
        for state in states:
            process.say(state)
    return 0 if wanted in states else (1 if wanted == "failed" else 3)


def _state(process: Process, name: str) -> str:
    service = process.machine.services.find(name)
    return service.active.value if service is not None else "inactive"


async def is_enabled(process: Process, given: Given, names: list[str]) -> int:
    """is-enabled: whether a boot starts it."""
    code = 1
    for name in names:
        unit = _unit(process, name)
        state = enablement(process, unit)
        code = 0 if state in {"enabled", "static"} else code
        if not given.has("q"):
            process.say(state)
    return code


def _unit(process: Process, name: str) -> Unit:
    unit = load_unit(process.machine.files, name)
    if unit is None:
        raise UnitError(f"Unit file {name} does not exist.")
    return unit


def enablement(process: Process, unit: Unit) -> str:
    """systemd's UnitFileState."""
    if unit.masked:
        return "masked"
    wanted = unit.names("Install.WantedBy")
    if not wanted and not unit.names("Install.Alias"):
        return "static"
    links = [f"{ENABLED}/{target}.wants/{unit.name}" for target in wanted]
    files = process.machine.files
    return "enabled" if any(files.find(link, follow=False) for link in links) else "disabled"


async def enable(process: Process, given: Given, names: list[str]) -> int:
    """enable [--now]: links from what wants the unit."""
    files = process.machine.files
    for name in names:
        unit = _unit(process, name)
        for target in unit.names("Install.WantedBy"):
            link = f"{ENABLED}/{target}.wants/{unit.name}"
            if files.find(link, follow=False) is None:
                files.make_dir(posixpath.dirname(link), parents=True)
                files.symlink(unit.path, link)
                process.complain(f"Created symlink {link} -> {unit.path}.")
        if given.has("now"):
            await process.machine.services.start(name)
    return 0


async def disable(process: Process, given: Given, names: list[str]) -> int:
    """disable [--now]: no such links any more."""
    files = process.machine.files
    for name in names:
        unit = _unit(process, name)
        for target in unit.names("Install.WantedBy"):
            link = f"{ENABLED}/{target}.wants/{unit.name}"
            if files.find(link, follow=False) is not None:
                files.remove(link)
                process.complain(f"Removed {link}.")
        if given.has("now"):
            await process.machine.services.stop(name)
    return 0


async def mask(process: Process, given: Given, names: list[str]) -> int:
    """mask and unmask."""
    files = process.machine.files
    for name in names:
        link = f"{ENABLED}/{name}"
        present = files.find(link, follow=False)
        masked = present is not None and present.kind is NodeKind.SYMLINK
        if given.operands[0] == "mask" and not masked:
            files.symlink("/dev/null", link)
        if given.operands[0] == "unmask" and masked:
            files.remove(link)
    return 0


async def daemon_reload(process: Process, given: Given, names: list[str]) -> int:
    """daemon-reload."""
    process.machine.services.reload()
    return 0


def properties(process: Process, name: str) -> dict[str, str]:
    """What systemctl show prints of a unit."""
    service = process.machine.services.find(name)
    if service is None:
        return {"Id": name, "LoadState": "not-found", "ActiveState": "inactive", "SubState": "dead"}
    unit = service.unit
    return {
        "Id": name,
        "LoadState": "masked" if unit.masked else "loaded",
        "ActiveState": service.active.value,
        "SubState": service.sub,
        "Result": service.result,
        "ExecMainStatus": str(service.status),
        "MainPID": str(service.pid),
        "NRestarts": str(service.restarts),
        "UnitFileState": enablement(process, unit),
        "FragmentPath": unit.path,
        "Description": unit.last("Unit.Description", name),
        "User": unit.last("Service.User"),
    }


async def show(process: Process, given: Given, names: list[str]) -> int:
    """show [-p names] [--value]."""
    wanted = [one for value in given.values.get("p", []) for one in value.split(",")]
    for name in names:
        values = properties(process, name)
        for key in wanted or values:
            value = values.get(key, "")
            process.say(value if given.has("value") else f"{key}={value}")
    return 0


async def status(process: Process, given: Given, names: list[str]) -> int:
    """status: a few lines for people; 3 if it does not run, 4 if there is none."""
    code = 0
    for name in names:
        service = process.machine.services.find(name)
        if service is None:
            process.complain(f"Unit {name} could not be found.")
            return 4
        process.say(f"{name} - {service.unit.last('Unit.Description', name)}")
        process.say(f"     Active: {service.active} ({service.sub})")
        for line in process.machine.journal.of([name])[-10:]:
            process.say(line.shown())
        code = 0 if service.active is Active.ACTIVE else 3
    return code


async def cat_unit(process: Process, given: Given, names: list[str]) -> int:
    """cat: the unit's file."""
    for name in names:
        unit = _unit(process, name)
        process.say(f"# {unit.path}")
        process.stdout.write(process.files.read(unit.path))
    return 0


async def list_units(process: Process, given: Given, names: list[str]) -> int:
    """list-units and list-unit-files: what is loaded, what there is."""
    if given.operands[:1] == ["list-unit-files"]:
        for folder in FOLDERS:
            if process.files.is_dir(folder):
                for name in process.files.entries(folder):
                    if "." in name and not name.endswith((".wants", ".d")):
                        process.say(name)
        return 0
    wanted = given.value("state") or ("failed" if given.has("failed") else "")
    for service in process.machine.services.known():
        if not wanted or service.active.value == wanted:
            process.say(_row(service))
    return 0


def _row(service: Service) -> str:
    return f"{service.unit.name} loaded {service.active} {service.sub}"


async def is_system_running(process: Process, given: Given, names: list[str]) -> int:
    """is-system-running."""
    failed = any(s.active is Active.FAILED for s in process.machine.services.known())
    process.say("degraded" if failed else "running")
    return int(failed)


async def power(process: Process, given: Given, names: list[str]) -> int:
    """poweroff, halt and reboot."""
    halt(process, again=given.operands[0] == "reboot")
    return 0


def halt(process: Process, *, again: bool) -> None:
    """Switch the machine off, or off and on, once this command has had time to answer."""
    machine = process.machine
    loop = asyncio.get_running_loop()
    loop.call_later(machine.around.timings.halt, machine.halt, again)


async def power_program(process: Process) -> int:
    """reboot, poweroff, halt and shutdown."""
    again = posixpath.basename(process.argv[0]) == "reboot" or "-r" in process.arguments
    if process.who.uid:
        return process.fail("Access denied")
    halt(process, again=again)
    return 0


VERBS: dict[str, Callable[[Process, Given, list[str]], Awaitable[int]]] = {
    **dict.fromkeys(
        ("start", "stop", "restart", "try-restart", "reload", "reload-or-restart", "kill"), change
    ),
    "cat": cat_unit,
    "daemon-reload": daemon_reload,
    "daemon-reexec": daemon_reload,
    "disable": disable,
    "enable": enable,
    "halt": power,
    "is-active": is_active,
    "is-enabled": is_enabled,
    "is-failed": is_active,
    "is-system-running": is_system_running,
    "list-unit-files": list_units,
    "list-units": list_units,
    "mask": mask,
    "poweroff": power,
    "reboot": power,
    "reset-failed": reset_failed,
    "show": show,
    "status": status,
    "unmask": mask,
}
CHANGING = frozenset(VERBS) - {
    "cat",
    "is-active",
    "is-enabled",
    "is-failed",
    "is-system-running",
    "list-unit-files",
    "list-units",
    "show",
    "status",
}


JOURNAL_OPTIONS = {
    "unit=": "u",
    "lines=": "n",
    "output=": "o",
    "no-pager": "q",
    "since=": "S",
    "boot": "b",
    "quiet": "q",
    "identifier=": "t",
    "grep=": "g",
    "vacuum-time=": "v",
    "rotate": "q",
}


async def journalctl(process: Process) -> int:
    """journalctl [-u unit] [-n lines] [-o cat]."""
    given = read(
        process.arguments,
        "bxekqrf",
        "unopS",
        JOURNAL_OPTIONS,
    )
    if process.who.uid:
        raise UsageError("No journal files were opened due to insufficient permissions.")
    units = [full_name(name) for name in given.values.get("u", [])]
    lines = process.machine.journal.of(units)
    if given.value("n"):
        lines = lines[-int(given.value("n")) :]
    for line in lines:
        process.say(line.text if given.value("o") == "cat" else line.shown())
    if not lines:
        process.say("-- No entries --")
    return 0


SERVICES = {
    "halt": power_program,
    "journalctl": journalctl,
    "poweroff": power_program,
    "reboot": power_program,
    "shutdown": power_program,
    "systemctl": systemctl,
}
