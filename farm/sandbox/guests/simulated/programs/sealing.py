"""age, which seals a file to a public key, and gzip, which unpacks one."""

from __future__ import annotations

import gzip
import zlib

import pyrage

from farm.sandbox.guests.simulated.process import Process
from farm.sandbox.guests.simulated.programs.arguments import Given, read
from farm.sandbox.guests.simulated.programs.text import content_of

AGE = {
    "encrypt": "e",
    "decrypt": "d",
    "recipient=": "r",
    "identity=": "i",
    "output=": "o",
    "version": "version",
}
GZIP = {"decompress": "d", "stdout": "c", "to-stdout": "c", "test": "t", "quiet": "q"}


async def age(process: Process) -> int:
    """age -r recipient [-o output] [input], and age -d -i identity."""
    given = read(process.arguments, "ed", "rio", AGE)
    if given.has("version"):
        process.say("1.1.1")
        return 0
    try:
        content = await content_of(process, given.operands[:1])
        turned = _opened(process, given, content) if given.has("d") else _sealed(given, content)
    except OSError as error:
        return _refuse(process, f"failed to open input file: {error.strerror}")
    except (pyrage.RecipientError, pyrage.IdentityError):
        return _refuse(process, "unknown recipient type")
    except pyrage.DecryptError:
        return _refuse(process, "no identity matched any of the recipients")
    if path := given.value("o"):
        process.files.write(path, turned, mode=0o666 & ~process.umask)
    else:
        process.stdout.write(turned)
    return 0


def _sealed(given: Given, content: bytes) -> bytes:
    keys = [pyrage.x25519.Recipient.from_str(key) for key in given.values.get("r", [])]
    if not keys:
        raise pyrage.RecipientError
    return bytes(pyrage.encrypt(content, keys))


def _opened(process: Process, given: Given, content: bytes) -> bytes:
    keys = [
        pyrage.x25519.Identity.from_str(line)
        for path in given.values.get("i", [])
        for line in process.files.text(path).split()
        if not line.startswith("#")
    ]
    return bytes(pyrage.decrypt(content, keys))


def _refuse(process: Process, why: str) -> int:
    process.complain(f"age: error: {why}")
    return 1


async def unzip(process: Process) -> int:
    """gzip -d [-c] [file] to standard output, or in the place of the file."""
    given = read(process.arguments, "dctqkf123456789", "", GZIP)
    if not given.has("d"):
        return process.fail("this machine's gzip unpacks only")
    packed = await content_of(process, given.operands[:1])
    try:
        content = gzip.decompress(packed)
    except (gzip.BadGzipFile, zlib.error, EOFError):
        return process.fail("stdin: not in gzip format, or its end is missing")
    if given.has("t"):
        return 0
    if given.has("c") or not given.operands:
        process.stdout.write(content)
        return 0
    process.files.write(given.operands[0].removesuffix(".gz"), content)
    process.files.remove(given.operands[0])
    return 0


SEALING = {"age": age, "gzip": unzip}
