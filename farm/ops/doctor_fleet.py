"""What the doctor looks at beyond this process: site, worker, cloud, prices, guests."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import httpx
from django.conf import settings
from django.db import DatabaseError
from django.utils import timezone

from farm.agents.clouds import SETTINGS, clouds, credentials_of
from farm.agents.models import Offer, ProviderProject
from farm.agents.selectors import due_rows, last_beat, orphans, provider_pauses
from farm.agents.selectors.images import images
from farm.agents.selectors.retirements import retirements_soon
from farm.agents.selectors.unlisted import unlisted
from farm.ops.findings import Finding
from provisioning.errors import ProvisioningError, Transient
from provisioning.registry import provider_for

SILENCE = timedelta(seconds=60)
PRICES = "The worker reads them from the cloud: mend what is said of either."
START = "Start the farm with `make run`, or one with `farm worker`."


def site() -> Iterator[Finding]:
    """Whether the site answers on this machine."""
    address = f"http://127.0.0.1:{settings.PORT}/healthz"
    try:
        status = httpx.get(address, headers={"Host": settings.ALLOWED_HOSTS[0]}).status_code
    except httpx.TransportError as error:
        yield Finding("site", f"{address} does not answer: {error}.", "Start it with `make run`.")
        return
    if status >= 500:
        yield Finding("site", f"{address} answers {status}.", "Look into logs/web.log.")
    else:
        yield Finding("site", f"{settings.SITE_URL} answers.")


def worker() -> Iterator[Finding]:
    """Whether anybody drives what is due."""
    try:
        beat, due = last_beat(), due_rows(timezone.now())
    except DatabaseError:
        return
    if beat is None:
        yield Finding("worker", "None has ever run.", START)
    elif (silent := timezone.now() - beat) > SILENCE:
        said = f"None has been alive for {silent.total_seconds():.0f} s; {due} rows wait."
        yield Finding("worker", said, START)
    else:
        yield Finding("worker", f"Alive; {due} rows are due.")


def cloud() -> Iterator[Finding]:
    """Whether what opens each cloud is good, and what only the operator mends."""
    for name in clouds():
        yield _opened(name)
    yield from _troubles_on_record()


def _opened(name: str) -> Finding:
    credentials, told = credentials_of(ProviderProject(provider=name)), " and ".join(SETTINGS[name])
    endpoint = credentials.endpoint
    try:
        provider_for(credentials).verify()
    except Transient as error:
        remedy = f"Look at this machine's network, and at {name.upper()}_ENDPOINT if that is set."
        return Finding("cloud", f"{endpoint}: {error}", remedy)
    except ProvisioningError as error:
        remedy = f"Give what may read and write as {told}, or start the sandbox."
        return Finding("cloud", f"{endpoint}: {error}", remedy)
    return Finding("cloud", f"{endpoint} takes what opens it.")


def _troubles_on_record() -> Iterator[Finding]:
    try:
        pauses, strays = provider_pauses(), orphans()
    except DatabaseError:
        return
    for pause in pauses:
        said = f"{pause.provider}: {pause.sentence.what} {pause.detail}"
        yield Finding("cloud", said.strip(), "Mend that at the cloud; the farm goes on by itself.")
    if strays:
        yield Finding(
            "cloud",
            f"{len(strays)} things there carry our label and are nobody's; they cost money.",
            "Look at them with `farm servers orphans`.",
        )


def offers() -> Iterator[Finding]:
    """Whether prices are known, without which nothing is sold."""
    try:
        known, gone = Offer.objects.count(), unlisted()
    except DatabaseError:
        return
    for one in gone:
        said = f"{one.cloud} lists no {one.what}, which farm/catalog.toml has on sale."
        yield Finding("offers", said, "Take it out there; until then others are taken instead.")
    if known:
        yield Finding("offers", f"{known} prices known.")
    else:
        yield Finding("offers", "No price is known, so no agent can be created.", PRICES)


def retiring() -> Iterator[Finding]:
    """What a cloud will stop selling, and whether machines start from a tried image."""
    try:
        rows, kept = retirements_soon(timezone.now()), [one for one in images() if one.is_used]
    except DatabaseError:
        return
    for row in rows:
        said = f"{row} ends on {row.ends_at:%F}; the farm uses it or has it on sale."
        yield Finding("cloud", said, "Upgrade the farm, or move the agents there by then.")
    if kept:
        yield Finding("images", f"{len(kept)} in use; new machines start from them.")
    else:
        yield Finding("images", "None: a new machine takes minutes. `farm images build` helps.")


def guests() -> Iterator[Finding]:
    """Which machines the sandbox has; nothing where there is no sandbox."""
    if not settings.SANDBOX_CONTROL_URL:
        return
    try:
        status = httpx.get(f"{settings.SANDBOX_CONTROL_URL.rstrip('/')}/status").json()["guests"]
    except (httpx.TransportError, ValueError, KeyError) as error:
        yield Finding("guests", f"The sandbox does not answer: {error}.", "Start it: `make run`.")
        return
    if status["problem"]:
        yield Finding("guests", status["problem"], "Mend that, or take GUESTS=simulated.")
    else:
        yield Finding("guests", f"{status['kind']}. {status['why']} {status['progress']}".strip())
