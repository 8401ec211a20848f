"""Both kinds of guests, and one image with the runtime in it, made once for each kind."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from provisioning import cloudinit, runtime
from tests.sandbox.guests.house import VERSIONS, House, Machine, new_papers

RUNTIME_IMAGE = "with-runtime"


@pytest.fixture(scope="session", params=["simulated", pytest.param("real", marks=pytest.mark.lab)])
def house(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    """Guests of one kind; afterwards nothing of them is left."""
    opened = House(str(request.param), tmp_path_factory.mktemp("house"))
    try:
        yield opened
    finally:
        opened.close()


@pytest.fixture(scope="session")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Simulated guests for what only they can do."""
    opened = House("simulated", tmp_path_factory.mktemp("simulated"))
    try:
        yield opened
    finally:
        opened.close()


@pytest.fixture(scope="session")
def image(house: House) -> str:
    """An image that holds the runtime, baked by the farm's own user-data from the vanilla one.

    It took the long road, so that all other machines may take the short one.
    """
    baker = house.create(cloudinit.render_image(VERSIONS), new_papers())
    house.wait_until(lambda: house.is_off(baker), "The image's machine was not baked well.")
    house.wait(house.guests.snapshot(baker.id, RUNTIME_IMAGE))
    house.destroy(baker)
    return RUNTIME_IMAGE


@pytest.fixture(scope="session")
def first(house: House, image: str) -> Machine:
    """A machine that the farm's user-data has set up, for tests that leave it as it is."""
    papers = new_papers()
    machine = house.create(house.user_data(papers), papers, image=image)
    outcome = machine.installed()
    assert outcome.state is runtime.InstallationState.INSTALLED, outcome.detail
    return machine
