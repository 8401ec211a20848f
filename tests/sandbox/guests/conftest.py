"""Both kinds of guests, and one image with the runtime in it, made once for each kind."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from provisioning import runtime
from tests.sandbox.guests.house import House, Machine, new_papers

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
def first(house: House) -> Machine:
    """A machine from the vanilla image, set up by the farm's user-data; its disk becomes an image.

    It took the long road, so that all others may take the short one.
    """
    papers = new_papers()
    machine = house.create(house.user_data(papers), papers)
    outcome = machine.installed()
    assert outcome.state is runtime.InstallationState.INSTALLED, outcome.detail
    house.wait(house.guests.snapshot(machine.id, RUNTIME_IMAGE))
    return machine


@pytest.fixture
def image(first: Machine) -> str:
    """An image that holds the runtime."""
    return RUNTIME_IMAGE
