"""Compiles the texts that the site shows in other languages than English."""

from __future__ import annotations

import subprocess
from pathlib import Path

from django.conf import settings

from farm.ops.answer import Trouble


def stale_translations() -> list[Path]:
    """The .po files whose .mo is missing or older."""
    sources = (po for folder in settings.LOCALE_PATHS for po in Path(folder).rglob("*.po"))
    return [po for po in sorted(sources) if _is_stale(po)]


def compile_translations() -> list[Path]:
    """Compile what is stale with gettext's msgfmt; answers the .mo files that were written."""
    return [_compile(po) for po in stale_translations()]


def _is_stale(po: Path) -> bool:
    compiled = po.with_suffix(".mo")
    return not compiled.exists() or compiled.stat().st_mtime < po.stat().st_mtime


def _compile(po: Path) -> Path:
    target = po.with_suffix(".mo")
    try:
        argv = ["msgfmt", "--check-format", "-o", str(target), str(po)]
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise Trouble(
            "msgfmt, which compiles the translations, is not installed: install Debian's package"
            " gettext.",
            code="gettext",
        ) from None
    if done.returncode:
        raise Trouble(
            f"The translations in {po} do not compile: {done.stderr}", code="translations"
        )
    return target
