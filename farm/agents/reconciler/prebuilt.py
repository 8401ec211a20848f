"""Which prebuilt image a machine starts from: the newest that was tried where it is to be."""

from __future__ import annotations

from farm.agents.models import Server, ServerImage
from farm.agents.projects import project_at
from farm.agents.reconciler.labels import BAKED_LABEL
from farm.agents.reconciler.machines import provider_at
from farm.catalog import catalog


def prebuilt_for(server: Server, runtime_version: str) -> str | None:
    """The good image of that runtime, held until this transaction ends; None without one.

    Whoever ends images waits for that, and then sees which one the server is made from.
    """
    good = ServerImage.objects.filter(
        project=project_at(server),
        state=ServerImage.State.GOOD,
        runtime_version=runtime_version,
        node_version=catalog().node_version,
        location__in=("", server.location),
    )
    newest = good.select_for_update(no_key=True).order_by("-good_at").first()
    return newest.image if newest else None


def is_lost(server: Server) -> bool:
    """Whether the cloud refused the server for its image: that is there no more, and forgotten."""
    rows = ServerImage.objects.filter(project=project_at(server), image=server.image)
    row = rows.exclude(image="").first()
    if row is None or provider_at(server).copies({BAKED_LABEL: row.uid}):
        return False
    rows.delete()
    return True
