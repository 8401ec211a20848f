"""How many tokens a call can make its provider read at most, and what the relay does not carry."""

from __future__ import annotations

from collections.abc import Iterator

from farm.relay.wire import (
    BadCall,
    Json,
    JsonObject,
    object_in,
    objects_in,
    objects_within,
    packed,
    text_in,
)

TOKENS_OF_A_PICTURE = 20_000
"""More than any provider counts for one; a picture's bytes say nothing about it."""
NO_FILES = "The relay carries text and pictures, no files: put the text in instead."

# Whatever makes a provider fetch or remember things by itself: their size is not in the call.
_ELSEWHERE = (
    *("previous_response_id", "conversation", "prompt", "mcp_servers", "container", "background"),
    # Another model than the one that is named, at another price.
    *("models", "preset"),
    *("cachedContent", "cached_content", "plugins", "web_search_options", "audio", "batch_id"),
)
_FILES = ("file_id", "file_url", "fileUri", "file_uri", "fileData", "file_data")
_FILE_TYPES = ("file", "input_file", "document", "container_upload", "input_audio", "video_url")
_PICTURES = ("image", "image_url", "input_image")
_DECLARATIONS = ("functionDeclarations", "function_declarations")
# What a tool was given or declares is text to a provider, whatever it looks like.
_TEXT_ONLY = frozenset({"input_schema", "parameters", "arguments", "args", "tools", "functions"})


def most_read(body: JsonObject) -> int:
    """Tokens that the whole body can be at most: no token is shorter than a byte of it.

    A picture within counts as TOKENS_OF_A_PICTURE instead of by its bytes. BadCall for what would
    have the provider read what is not in the call, or use tools of its own at prices of their own.
    """
    _refuse_what_lies_elsewhere(body)
    pictures = list(_pictures(body))
    shown = sum(len(_shown_in(picture)) for picture in pictures)
    return max(0, len(packed(body)) - shown) + TOKENS_OF_A_PICTURE * len(pictures)


def _pictures(body: JsonObject) -> Iterator[JsonObject]:
    for found in objects_within(body, _TEXT_ONLY):
        inline = found.get("inlineData", found.get("inline_data"))
        if text_in(found, "type") in _PICTURES or inline is not None:
            yield found


def _shown_in(picture: JsonObject) -> str:
    """The picture itself or its address, and no word of what else stands beside it."""
    inline = object_in(picture, "inlineData") or object_in(picture, "inline_data")
    if inline:
        if not (text_in(inline, "mimeType") or text_in(inline, "mime_type")).startswith("image/"):
            raise BadCall(NO_FILES)
        return text_in(inline, "data")
    source, named = object_in(picture, "source"), object_in(picture, "image_url")
    address = text_in(named, "url") or text_in(picture, "image_url")
    if address.startswith("data:") and not address.startswith("data:image/"):
        raise BadCall(NO_FILES)
    return text_in(source, "data") or text_in(source, "url") or address


def _refuse_what_lies_elsewhere(body: JsonObject) -> None:
    for name in _ELSEWHERE:
        if body.get(name):
            raise BadCall(
                f"The relay does not carry {name}: what it would cost is not in the call."
            )
    for found in objects_within(body, _TEXT_ONLY):
        if any(found.get(name) for name in _FILES) or text_in(found, "type") in _FILE_TYPES:
            raise BadCall(NO_FILES)
    for tool in objects_in(body, "tools"):
        _refuse_provider_tool(tool)


def _refuse_provider_tool(tool: JsonObject) -> None:
    """A tool that the caller runs itself costs nothing but the words about it."""
    kind = text_in(tool, "type")
    declared = [name for name in tool if name in _DECLARATIONS]
    own = not kind and "name" in tool and "input_schema" in tool
    if kind in ("function", "custom") or own or (declared and len(tool) == len(declared)):
        return
    named = kind or next((name for name in tool if name not in _DECLARATIONS), "")
    raise BadCall(f"The relay does not carry the provider's own tool {named[:40]!r}.")


def demand_one_answer(body: JsonObject, *names: str) -> None:
    """BadCall for a call that wants several answers at once: each is paid for."""
    for name in names:
        wanted: Json = body.get(name)
        if wanted not in (None, 1):
            raise BadCall(f"The relay carries one answer per call: leave {name} out.")
