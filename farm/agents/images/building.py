"""An image from the first order to its first use, at every place that needs one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from farm.accounts.models import Door, User
from farm.accounts.services import record
from farm.agents.images.baking import bake, smallest_offer
from farm.agents.images.places import ImagePlace
from farm.agents.images.tidying import is_ended, tidy
from farm.agents.images.trying import try_out
from farm.agents.images.waiting import HELD, Baker, BakingFailed, Tell
from farm.agents.models import ServerImage
from farm.agents.reconciler.machines import provider_in
from farm.catalog import catalog
from provisioning.budget import Urgency
from provisioning.errors import ProvisioningError
from provisioning.provider import Copy, Offer, Price

TERABYTE = 1000.0


def build_images(
    *, actor: User | None, door: Door, places: Sequence[ImagePlace], seconds: float, tell: Tell
) -> Sequence[ServerImage]:
    """Bake an image of the catalogue's runtime for each place, try it, and retire the older ones.

    Waits up to `seconds` for each of its stages and tells each one. One that boots everywhere in
    its project serves all places there. BakingFailed names every place that got none; what was
    begun and is not good is removed.
    """
    began, failed = timezone.now(), list[str]()
    for place in places:
        if _served(place, began):
            continue
        try:
            _build(actor, door, place, seconds, tell)
        except (BakingFailed, ProvisioningError) as error:
            tell(f"{place}: {error}")
            failed.append(f"{place}: {error}")
    if failed:
        raise BakingFailed(" ".join(failed))
    return list(ServerImage.objects.filter(state=ServerImage.State.GOOD, good_at__gte=began))


def _served(place: ImagePlace, since: datetime) -> bool:
    good = ServerImage.objects.filter(state=ServerImage.State.GOOD, good_at__gte=since)
    return good.filter(project=place.project, location__in=("", place.location)).exists()


def _build(actor: User | None, door: Door, place: ImagePlace, seconds: float, tell: Tell) -> None:
    provider = provider_in(place.project, Urgency.BACKGROUND)
    for sentence in tidy(place.project, provider, timezone.now()):
        tell(sentence)
    offer = smallest_offer(provider.offers(), place.project.provider, place.location)
    baker = Baker(_asked(place), provider, seconds, tell)
    try:
        copy = bake(baker, offer)
        _note_copy(baker.row, copy, offer)
        try_out(baker, offer, copy.image)
        _use(baker.row, actor, door)
    except BaseException:
        _leave_nothing(baker)
        raise
    # What the first look orders to end the second one finds gone; what lasts is the next sweep's.
    for _look in range(2):
        for sentence in tidy(place.project, provider, timezone.now()):
            tell(sentence)


def _asked(place: ImagePlace) -> ServerImage:
    """The intent, before anything is ordered: what bears its uid has a row from the start."""
    now = timezone.now()
    return ServerImage.objects.create(
        project=place.project,
        location=place.location,
        runtime_version=catalog().runtime_version,
        node_version=catalog().node_version,
        asked_at=now,
        held_until=now + HELD,
    )


def _note_copy(row: ServerImage, copy: Copy, offer: Offer) -> None:
    price, gigabytes = offer.snapshot_price, copy.gigabytes or 0.0
    row.state, row.image, row.location = ServerImage.State.TRYING, copy.image, copy.location
    row.gigabytes = copy.gigabytes
    if price:
        row.hourly_micros = round(price.hourly * gigabytes / TERABYTE)
        row.monthly_micros, row.currency = _monthly(price, gigabytes), price.currency
    _save(row)


def _monthly(price: Price, gigabytes: float) -> int | None:
    return None if price.monthly is None else round(price.monthly * gigabytes / TERABYTE)


def _use(row: ServerImage, actor: User | None, door: Door) -> None:
    row.state, row.good_at = ServerImage.State.GOOD, timezone.now()
    with transaction.atomic():
        _save(row)
        record(account=None, actor=actor, door=door, verb="build image", subject=str(row))


def _save(row: ServerImage) -> None:
    """Write the row unless it was given up for dead meanwhile; how long it is held stays."""
    fields = [field.name for field in row._meta.concrete_fields if field.name != "id"]  # noqa: SLF001
    fields = [name for name in fields if name not in ("held_until", "uid")]
    alive = ServerImage.objects.select_for_update(no_key=True).filter(pk=row.pk)
    with transaction.atomic():
        if alive.exclude(state=ServerImage.State.ENDING).first() is None:
            raise BakingFailed("Somebody cleared away what was being baked here: start again.")
        row.save(update_fields=fields)


def _leave_nothing(baker: Baker) -> None:
    """Whatever cannot be ended now is the next run's, or the next sweep's."""
    rows = ServerImage.objects.filter(pk=baker.row.pk)
    if not rows.exclude(state=ServerImage.State.GOOD).update(state=ServerImage.State.ENDING):
        return
    row = rows.first()
    if row is not None:
        try:
            baker.until("the image's end", lambda: is_ended(row, baker.provider))
        except (BakingFailed, ProvisioningError) as error:
            baker.tell(f"Not all of it is removed yet, the farm goes on with that: {error}")
