"""Answers held against the official description of the Hetzner Cloud API (OpenAPI 3.0)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TypeAlias
from urllib.parse import urlsplit

import requests
from jsonschema import Draft202012Validator, FormatChecker

Schema: TypeAlias = "Mapping[str, Schema] | list[Schema] | str | int | float | bool | None"

SPEC = Path(__file__).parents[3].parent / "shared/specs/hetzner.cloud.patched.json"
MISSING = f"{SPEC.name} is not beside this checkout"

_formats = FormatChecker(formats=())


@_formats.checks("date-time")
def _is_moment(value: object) -> bool:
    return not isinstance(value, str) or bool(
        re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", value)
    )


@_formats.checks("decimal")
def _is_decimal(value: object) -> bool:
    return not isinstance(value, str) or bool(re.fullmatch(r"-?\d+(\.\d+)?", value))


class OfficialSpec:
    """What the official API may answer to each request."""

    def __init__(self, path: Path = SPEC) -> None:
        self._paths = json.loads(path.read_text(encoding="utf-8"))["paths"]
        self._patterns = {
            re.compile(re.sub(r"\{[^}]+\}", "[^/]+", known)): known for known in self._paths
        }
        self.checked = 0

    def check(self, response: requests.Response) -> None:
        """Fail if this answer is not one that the official API gives; a proxy's is no matter."""
        if response.headers.get("Content-Type", "").startswith("text/html"):
            return
        method = (response.request.method or "").lower()
        path = urlsplit(response.url).path.removeprefix("/v1")
        known = self._known(path)
        if known is None:
            assert response.status_code in (404, 410), f"{path} is no official path"
            return
        described = self._described(known, method, response)
        if described is None:
            assert not response.content, f"{method} {path} answers nothing officially"
        else:
            errors = [str(e.message) for e in described.iter_errors(response.json())]
            assert not errors, f"{method} {path} {response.status_code}: {errors}"
        self.checked += 1

    def _known(self, path: str) -> str | None:
        # A path without a parameter wins over one that also fits.
        fitting = [known for pattern, known in self._patterns.items() if pattern.fullmatch(path)]
        return min(fitting, key=lambda known: known.count("{"), default=None)

    def _described(
        self, known: str, method: str, response: requests.Response
    ) -> Draft202012Validator | None:
        operations = self._paths[known]
        if method not in operations:
            assert response.status_code in (404, 405), f"{method} {known} is not official"
            method = next(iter(operations))
        answers = operations[method]["responses"]
        status = str(response.status_code)
        group = f"{status[0]}xx" if status not in answers else status
        assert group in answers, f"{method} {known} never answers {status}"
        return _validator(self, known, method, group)

    def schema(self, known: str, method: str, status: str) -> Schema:
        """The schema of that answer, None if it has no body."""
        answer = self._paths[known][method]["responses"][status]
        content = answer.get("content")
        return content["application/json"]["schema"] if content else None


@cache
def _validator(
    spec: OfficialSpec, known: str, method: str, status: str
) -> Draft202012Validator | None:
    schema = spec.schema(known, method, status)
    if schema is None:
        return None
    modern = _modern(schema)
    assert isinstance(modern, Mapping)
    return Draft202012Validator(modern, format_checker=_formats)


def _modern(schema: Schema) -> Schema:
    """OpenAPI 3.0's `nullable` as JSON Schema says it."""
    if isinstance(schema, list):
        return [_modern(one) for one in schema]
    if not isinstance(schema, Mapping):
        return schema
    modern: dict[str, Schema] = {key: _modern(value) for key, value in schema.items()}
    if modern.pop("nullable", False) is True:
        if isinstance(modern.get("type"), str):
            modern["type"] = [modern["type"], "null"]
        enum = modern.get("enum")
        if isinstance(enum, list):
            modern["enum"] = [*enum, None]
    return modern
