"""What a cloud says that it will stop offering."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.contract.subjects import AtHetzner, AtScaleway, Subject


def test_an_image_that_stays_has_no_end_and_one_that_goes_has(cloud: Subject) -> None:
    ends = cloud.provider.image_retires_at(cloud.goods.image)
    assert ends == (datetime(2028, 6, 30, tzinfo=UTC) if isinstance(cloud, AtScaleway) else None)
    if isinstance(cloud, AtHetzner):
        ubuntu = cloud.provider.image_retires_at("ubuntu-24.04")
        assert ubuntu in (None, datetime(2029, 5, 31, tzinfo=UTC))
    assert cloud.provider.image_retires_at("no-such-image") is None
