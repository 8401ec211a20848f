"""What the agent can do on its guest: run commands, read and write files, as its own user."""

from __future__ import annotations

import asyncio
import json
import posixpath
from collections.abc import Mapping
from dataclasses import replace

from farm.sandbox.guests.simulated.openclaw.config import Config
from farm.sandbox.guests.simulated.openclaw.model import Call, Tool
from farm.sandbox.guests.simulated.process import Buffer, Process

WORK = (
    Tool("exec", "Run a shell command on the machine.", ("command",)),
    Tool("read", "Read a file.", ("path",)),
    Tool("write", "Write a file.", ("path", "content")),
    Tool("edit", "Replace a text in a file.", ("path", "oldText", "newText")),
    Tool("ls", "List a folder.", ("path",)),
)
GROUPS = {
    "group:runtime": {"exec", "process"},
    "group:fs": {"read", "write", "edit", "ls", "apply_patch"},
}
PROFILES = {
    "full": {"exec", "read", "write", "edit", "ls"},
    "coding": {"exec", "read", "write", "edit", "ls"},
}
COMMAND_SECONDS = 120.0
RESULT_LIMIT = 32_000


def offered(config: Config) -> tuple[Tool, ...]:
    """The tools the config lets the agent have."""
    names = set(PROFILES.get(config.text("tools.profile", "full"), set()))
    for denied in config.words("tools.deny"):
        names -= GROUPS.get(denied, {denied})
    if config.text("tools.exec.mode", "full") == "deny":
        names.discard("exec")
    return tuple(tool for tool in WORK if tool.name in names)


async def use(process: Process, workspace: str, tools: tuple[Tool, ...], call: Call) -> str:
    """Run one tool; what the model is told, failures included."""
    if call.name not in {tool.name for tool in tools}:
        return f"Tool {call.name} not found"
    try:
        arguments = json.loads(call.arguments or "{}")
    except ValueError:
        return "The tool's arguments are not valid JSON"
    inside = replace(process, cwd=workspace, env=dict(process.env))
    try:
        result = await _run(inside, call.name, {k: str(v) for k, v in arguments.items()})
    except OSError as error:
        return f"{error.strerror}: {error.filename}"
    return result[:RESULT_LIMIT]


async def _run(process: Process, name: str, arguments: Mapping[str, str]) -> str:
    path = arguments.get("path", ".")
    if name == "exec":
        return await _command(process, arguments.get("command", ""))
    if name == "read":
        return process.files.text(path)
    if name == "ls":
        return "\n".join(process.files.entries(path))
    content = arguments.get("content", "")
    if name == "edit":
        old = arguments.get("oldText", "")
        content = process.files.text(path)
        if old not in content:
            return f"Could not find the text in {path}"
        content = content.replace(old, arguments.get("newText", ""), 1)
    process.files.make_dir(posixpath.dirname(path) or ".", parents=True)
    process.files.write(path, content.encode(), mode=0o666 & ~process.umask)
    return f"Successfully wrote {len(content.encode())} bytes to {path}"


async def _command(process: Process, command: str) -> str:
    output = Buffer()
    child = replace(process, argv=["sh", "-c", command], stdout=output, stderr=output)
    try:
        async with asyncio.timeout(COMMAND_SECONDS):
            code = await process.machine.run(child)
    except TimeoutError:
        return "Command timed out"
    shown = output.content.decode(errors="replace").rstrip("\n")
    return shown if code == 0 else f"{shown}\n\nProcess exited with code {code}.".lstrip("\n")
