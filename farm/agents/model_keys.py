"""Whether a model provider takes a member's key: asked by one turn of a few tokens."""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import StrEnum

from django.conf import settings

from farm.catalog import ModelProvider
from farm.outbound import Answer, Request, Unreachable, fetch

NO_CREDIT_WORDS = ("insufficient_quota", "credit balance", "insufficient credits")


class KeyVerdict(StrEnum):
    """What became of the question."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    NO_CREDIT = "no_credit"
    UNREACHABLE = "unreachable"


def verdict_on(provider: ModelProvider, key: str) -> KeyVerdict:
    """Ask the provider for a few tokens with this key; costs its owner less than a thousandth."""
    try:
        answer = fetch(_question(provider, key))
    except Unreachable:
        return KeyVerdict.UNREACHABLE
    return _read(answer)


def _question(provider: ModelProvider, key: str) -> Request:
    endpoint = settings.MODEL_ENDPOINTS.get(provider.key, provider.endpoint).rstrip("/")
    body = {"model": provider.model, "messages": [{"role": "user", "content": "Say ok."}]}
    if provider.key == "anthropic":
        headers = {"x-api-key": key, "anthropic-version": "2023-06-01"}
        # Anthropic's own tools leave the version out of the base address, and so may an operator.
        base = endpoint.removesuffix("/v1")
        return _post(f"{base}/v1/messages", headers, {**body, "max_tokens": 1})
    headers = {"Authorization": f"Bearer {key}"}
    if provider.key == "google":
        endpoint = f"{endpoint}/openai"
    # OpenAI's newer models know only the longer word, everybody else only the shorter one.
    most = "max_completion_tokens" if provider.key == "openai" else "max_tokens"
    return _post(f"{endpoint}/chat/completions", headers, {**body, most: 16})


def _post(url: str, headers: Mapping[str, str], body: Mapping[str, object]) -> Request:
    return Request(
        method="POST",
        url=url,
        headers={**headers, "Content-Type": "application/json"},
        body=json.dumps(body).encode(),
        timeout=20,
    )


def _read(answer: Answer) -> KeyVerdict:
    """Anything but a refusal, an empty purse or a broken provider means that the key is known."""
    if answer.status in (401, 403):
        return KeyVerdict.REFUSED
    # Anthropic tells an empty purse by a sentence only; there is no code to go by.
    words = answer.body[:4000].decode(errors="replace").lower()
    if answer.status == 402 or (
        answer.status in (400, 429) and any(word in words for word in NO_CREDIT_WORDS)
    ):
        return KeyVerdict.NO_CREDIT
    if answer.status >= 500:
        return KeyVerdict.UNREACHABLE
    # Google says 400 to a key it does not know.
    if answer.status == 400 and "api key" in words:
        return KeyVerdict.REFUSED
    return KeyVerdict.ACCEPTED
