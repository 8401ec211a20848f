"""What a call can make its provider read: nothing hides from the reckoning behind a picture."""

from __future__ import annotations

import pytest

from farm.relay.reading import TOKENS_OF_A_PICTURE, most_read
from farm.relay.wire import BadCall, Json

LONG = "word " * 100_000
PNG = "iVBORw0KGgo" * 20_000


def call(part: Json) -> dict[str, Json]:
    """A call with one part in it."""
    return {"model": "m", "messages": [{"role": "user", "content": [part]}]}


@pytest.mark.parametrize(
    "picture",
    [
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}},
        {"type": "input_image", "image_url": f"data:image/png;base64,{PNG}"},
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}},
        {"inlineData": {"mimeType": "image/png", "data": PNG}},
        {"inline_data": {"mime_type": "image/png", "data": PNG}},
    ],
    ids=str,
)
def test_a_picture_counts_as_one_and_not_by_its_bytes(picture: dict[str, Json]) -> None:
    assert TOKENS_OF_A_PICTURE < most_read(call(picture)) < 2 * TOKENS_OF_A_PICTURE
    for beside in ({"text": LONG}, {"content": LONG}, {"source": {"text": LONG}}):
        assert most_read(call({**beside, **picture, "more": beside})) > len(LONG)


def test_words_that_call_themselves_a_picture_are_words() -> None:
    message: Json = {"type": "image", "role": "user", "content": LONG}
    assert most_read({"model": "m", "messages": [message]}) > len(LONG)


@pytest.mark.parametrize(
    "part",
    [
        {"inlineData": {"mimeType": "text/plain", "data": PNG}},
        {"inline_data": {"mime_type": "application/pdf", "data": PNG}},
        {"inlineData": {"data": PNG}},
        {"type": "image_url", "image_url": {"url": f"data:application/pdf;base64,{PNG}"}},
    ],
    ids=str,
)
def test_what_is_no_picture_is_not_carried_as_one(part: Json) -> None:
    with pytest.raises(BadCall, match="no files"):
        most_read(call(part))
