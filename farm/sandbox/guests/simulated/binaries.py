"""Files that stand for compiled programs."""

from __future__ import annotations

MAGIC = b"\x7fELF simulated program "
"""How such a file begins; the program's name follows."""


def binary(name: str) -> bytes:
    """The content of a file that stands for the compiled program `name`."""
    return MAGIC + name.encode() + b"\n"
