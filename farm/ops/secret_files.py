"""Secrets come by a file or standard input: an argument would be seen in the process list."""

from __future__ import annotations

import sys
from pathlib import Path

from farm.ops.answer import Trouble


def secret_in(path: Path | None, option: str) -> str:
    """What the file holds, or standard input for `-`, without blanks around; "" without a path.

    Trouble names `option` if it cannot be read. Typer's own look (`exists`) would refuse `-`.
    """
    if path is None:
        return ""
    try:
        return (sys.stdin.read() if str(path) == "-" else path.read_text()).strip()
    except (OSError, UnicodeDecodeError) as problem:
        said = problem.strerror if isinstance(problem, OSError) else "it holds no text"
        raise Trouble(
            f"{option} {path}: {said}. Name a file that holds nothing else, or - for standard"
            " input.",
            code="unreadable",
            field=option.strip("-").removesuffix("-file").replace("-", "_"),
        ) from None
