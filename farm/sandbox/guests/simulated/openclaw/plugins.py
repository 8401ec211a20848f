"""What OpenClaw's own installer leaves on a machine: the software of Slack and WhatsApp."""

from __future__ import annotations

import hashlib
import json
import posixpath

from farm.sandbox.guests.simulated.process import Process

KNOWN = ("slack", "whatsapp")


def state_of(process: Process) -> str:
    """Where the runtime keeps what it learns."""
    home = process.env.get("HOME", "/root")
    return process.env.get("OPENCLAW_STATE_DIR", posixpath.join(home, ".openclaw"))


def package_of(process: Process, plugin: str) -> str:
    """The file that says which version of a plugin is there."""
    mark = hashlib.sha256(plugin.encode()).hexdigest()[:10]
    project = f"npm/projects/openclaw-{plugin}-{mark}/node_modules/@openclaw/{plugin}"
    return posixpath.join(state_of(process), project, "package.json")


def is_there(process: Process, plugin: str) -> bool:
    """Whether the plugin was installed."""
    return process.files.find(package_of(process, plugin)) is not None


async def install(process: Process, version: str) -> int:
    """plugins install @openclaw/NAME@VERSION."""
    wish = process.arguments[2] if len(process.arguments) > 2 else ""
    name, _, asked = wish.removeprefix("@openclaw/").partition("@")
    if process.env.get("OPENCLAW_CONFIG_READONLY"):
        process.complain("Config is read-only: plugins cannot be installed.")
        return 1
    if name not in KNOWN or asked not in ("", version):
        process.complain(f"npm error 404 Not Found: {wish}")
        return 1
    timings = process.machine.around.timings
    await process.machine.sleep(timings.download + timings.install)
    path = package_of(process, name)
    process.files.make_dir(posixpath.dirname(path), 0o755, parents=True)
    about = json.dumps({"name": f"@openclaw/{name}", "version": version}, indent=2)
    process.files.write(path, about.encode(), mode=0o644)
    process.say(f"Installed plugin: {name}")
    return 0
