"""The runtime's own command line: version, config, gateway, backup, health."""

from __future__ import annotations

import json

from farm.sandbox.guests.simulated.openclaw.backups import backup
from farm.sandbox.guests.simulated.openclaw.config import (
    ConfigInvalid,
    config_path,
    load,
    read_tree,
)
from farm.sandbox.guests.simulated.openclaw.gateway import Gateway
from farm.sandbox.guests.simulated.openclaw.plugins import install
from farm.sandbox.guests.simulated.openclaw.schema import problems
from farm.sandbox.guests.simulated.process import Process


async def openclaw(process: Process, version: str) -> int:
    """openclaw --version, config validate, gateway run, and a few that only look."""
    words = [word for word in process.arguments if not word.startswith("-")]
    if "--version" in process.arguments or process.arguments[:1] == ["-V"]:
        process.say(f"OpenClaw {version}")
        return 0
    if words[:1] == ["doctor"]:
        return 0
    return await _commanded(process, words, version)


async def _commanded(process: Process, words: list[str], version: str) -> int:
    if words[:2] == ["config", "validate"]:
        return validate(process)
    if words[:1] == ["gateway"] and words[1:2] in ([], ["run"]):
        return await serve(process, version)
    if words[:1] == ["backup"]:
        return backup(process, version)
    if words[:2] == ["plugins", "install"]:
        return await install(process, version)
    process.complain(f"error: unknown command '{' '.join(words[:2])}'")
    return 1


async def serve(process: Process, version: str) -> int:
    """gateway run: until it is stopped, or the code it ends with."""
    try:
        config = load(process)
    except ConfigInvalid as error:
        process.complain(str(error))
        return error.code
    return await Gateway(process, version, config).run()


def validate(process: Process) -> int:
    """config validate [--json]: 0 if the gateway would take it, else 1 with the paths."""
    try:
        issues = problems(read_tree(process))
    except ConfigInvalid as error:
        issues = [str(error)]
    if "--json" in process.arguments:
        listed = [
            dict(zip(("path", "message"), line.split(": ", 1), strict=False)) for line in issues
        ]
        process.say(
            json.dumps({"valid": not issues, "path": config_path(process), "issues": listed})
        )
    else:
        process.say("Config valid" if not issues else "Config invalid:\n" + "\n".join(issues))
    return int(bool(issues))
