"""pip3: installs wheels from a registry of our own, and only with the checksums it was told."""

from __future__ import annotations

import posixpath
import re

from farm.sandbox.guests.simulated.process import Process
from farm.sandbox.guests.simulated.programs.arguments import Given, UsageError, read
from farm.sandbox.guests.simulated.registry import Package, contents, published

OPTIONS = {
    "no-deps": "no-deps",
    "require-hashes": "hashes",
    "no-compile": "no-compile",
    "no-cache-dir": "no-cache",
    "target=": "target",
    "requirement=": "r",
    "only-binary=": "only-binary",
    "quiet": "q",
    "break-system-packages": "b",
    "disable-pip-version-check": "d",
    "no-input": "no-input",
    "upgrade": "U",
    "root-user-action=": "root",
    "platform=": "platform",
    "retries=": "retries",
    "timeout=": "timeout",
    "cert=": "cert",
}


async def pip(process: Process) -> int:
    """pip3 install --target folder [--require-hashes] -r file."""
    given = read(process.arguments, "qUv", "rti", OPTIONS)
    if given.operands[:1] != ["install"]:
        raise UsageError(f"unknown command {' '.join(given.operands)!r}")
    folder = given.value("target") or given.value("t")
    if not folder:
        process.complain("error: externally-managed-environment")
        return 1
    lines = given.operands[1:]
    for path in given.values.get("r", []):
        lines += process.files.text(path).replace("\\\n", " ").splitlines()
    for line in [line.strip() for line in lines if line.strip() and not line.startswith("#")]:
        package = _wanted(process, given, line)
        if package is None:
            return 1
        await process.machine.sleep(process.machine.around.timings.download)
        _unpack(process, folder, package)
    return 0


def _wanted(process: Process, given: Given, line: str) -> Package | None:
    """The package a requirement names, if its checksums are the published ones."""
    name, _, version = line.split(maxsplit=1)[0].partition("==")
    package = published(name, version)
    if package is None or not package.sha256:
        process.complain(f"ERROR: No matching distribution found for {name}=={version}")
        return None
    told = re.findall(r"--hash=sha256:([0-9a-f]{64})", line)
    if given.has("hashes") and not told:
        process.complain(
            "ERROR: Hashes are required in --require-hashes mode, but they are missing from some"
            f" requirements:\n    {line} --hash=sha256:{package.sha256}"
        )
        return None
    if told and package.sha256 not in told:
        process.complain(
            "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.\n"
            f"    {line.split(maxsplit=1)[0]}:\n             Got        {package.sha256}"
        )
        return None
    return package


def _unpack(process: Process, folder: str, package: Package) -> None:
    for name, content in contents(package).items():
        path = posixpath.join(process.cwd, folder, name)
        process.files.make_dir(posixpath.dirname(path), parents=True)
        process.files.write(path, content, mode=0o755)
        process.files.chmod(path, 0o755)


PIP = {"pip": pip, "pip3": pip}
