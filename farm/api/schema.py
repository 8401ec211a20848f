"""The OpenAPI document: what every answer has in common, said once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypedDict

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema

PROBLEM = {"application/json": {"schema": {"$ref": "#/components/schemas/ProblemShape"}}}
ALWAYS = {
    "401": "The token is missing, unknown, expired or revoked.",
    "403": "The token's scopes, or its person, may not do that.",
}
FOR_ONE = {"404": "There is nothing here that you may see."}
FOR_LISTS = {"422": "There is no such item to go on after."}
FOR_INPUT = {"400": "The input is not as described; `field` says where."}


class Operation(TypedDict, total=False):
    """The part of an operation that is read and added to here."""

    security: list[object]
    parameters: list[dict[str, object]]
    requestBody: object
    responses: dict[str, object]


class Document(TypedDict):
    """The part of the document that holds the operations, by address and method."""

    paths: dict[str, dict[str, Operation]]


def with_common_answers(
    result: Document,
    generator: object,  # noqa: ARG001 - Spectacular's hooks are called so
    request: object,  # noqa: ARG001
    public: object,  # noqa: ARG001
) -> Document:
    """The document with the answers that every operation of its sort can give."""
    for path, methods in result["paths"].items():
        for operation in methods.values():
            for code, sentence in _common(path, operation):
                operation["responses"].setdefault(
                    code, {"description": sentence, "content": PROBLEM}
                )
    return result


def _common(path: str, operation: Operation) -> Iterator[tuple[str, str]]:
    yield from ALWAYS.items()
    if "{" in path:
        yield from FOR_ONE.items()
    asked = [each for each in operation.get("parameters", []) if each["in"] == "query"]
    if asked:
        yield from FOR_LISTS.items()
    if asked or "requestBody" in operation:
        yield from FOR_INPUT.items()


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the document tells of the token."""

    target_class = "farm.api.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, str]:  # noqa: ARG002
        """A bearer token."""
        return {"type": "http", "scheme": "bearer"}
