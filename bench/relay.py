"""What the relay adds until the first byte of an answer, beside the same call without it.

Run by `make bench-relay`: a sandbox's model, a relay on a fresh database, each called in turn.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import httpx

from tests.sandbox.running import sandbox

CALLS = 200
WARMING = 20
BODY = {
    "model": "gpt-5.4",
    "stream": True,
    "messages": [
        {"role": "system", "content": "You are a helpful assistant. " * 600},
        {"role": "user", "content": "hello you"},
    ],
}


def main() -> None:
    """Print the medians, the slow tenth, and their ratios."""
    with tempfile.TemporaryDirectory() as folder, sandbox(Path(folder) / "outside") as outside:
        model = outside.report.services.model
        _stand_up(Path(folder), model.endpoint)
        from tests.farm.relay.actors import EUR, an_agent, shown
        from tests.farm.relay.processes import a_relay_process

        cast = an_agent(model.key, budget=10_000 * EUR)
        (Path(folder) / "relay").mkdir()
        with a_relay_process(Path(folder) / "relay") as (relay, _):
            direct = (f"{model.endpoint}/chat/completions", shown("openai", model.key))
            through = (
                f"{relay}/openai/v1/chat/completions",
                shown("openai", cast.agent.relay_key),
            )
            _tell(_measured(direct, through))


def _stand_up(folder: Path, endpoint: str) -> None:
    """A farm in that folder: settings are read once, so the environment comes first."""
    os.environ |= {
        "FARM_DATA": str(folder),
        "OPENAI_ENDPOINT": endpoint,
        "ANTHROPIC_ENDPOINT": endpoint,
        "RELAY_CALLS_PER_MINUTE": "100000",
        "DJANGO_SETTINGS_MODULE": "farm.settings",
    }
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)


def _measured(*ways: tuple[str, Mapping[str, str]]) -> list[list[float]]:
    """Milliseconds to the first byte by way, the ways taking turns."""
    taken: list[list[float]] = [[] for _ in ways]
    with httpx.Client(timeout=30) as client:
        for turn in range(WARMING + CALLS):
            for times, (url, headers) in zip(taken, ways, strict=True):
                began = time.perf_counter()
                with client.stream("POST", url, json=BODY, headers=headers) as answer:
                    chunks = answer.iter_raw()
                    next(chunks)
                    if turn >= WARMING:
                        times.append((time.perf_counter() - began) * 1000)
                    assert answer.status_code == 200
                    assert list(chunks)
    return taken


def _tell(taken: list[list[float]]) -> None:
    out = sys.stdout.write
    out(f"{CALLS} streamed calls of {len(str(BODY)) // 1000} kB, milliseconds to the first byte\n")
    rows = []
    for name, times in zip(("direct", "relay"), taken, strict=True):
        rows.append((statistics.median(times), statistics.quantiles(times, n=10)[-1]))
        out(f"  {name:7} median {rows[-1][0]:6.1f}   slow tenth {rows[-1][1]:6.1f}\n")
    added = rows[1][0] - rows[0][0]
    out(f"  added   median {added:6.1f}   ratio {rows[1][0] / rows[0][0]:.2f}\n")


if __name__ == "__main__":
    main()
