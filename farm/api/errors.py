"""What goes wrong, in one shape: a sentence that says what to do, a code, and the field."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from rest_framework import status
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.response import Response
from rest_framework.views import exception_handler

from farm.accounts.refusals import Refused

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Problem:
    """`field` names the input to blame, "" where there is none."""

    error: str
    code: str
    field: str = ""


NOTHING = Problem("There is nothing here that you may see.", "not_found")
STUMBLED = Problem("The farm stumbled, and its operator can read why. Try again.", "stumbled")


def answer_to(error: Exception, context: dict[str, object]) -> Response:
    """The answer to what a view raised; a mistake of ours is a 500, and the log tells it."""
    if isinstance(error, Refused):
        told = Problem(str(error.sentence), error.code, error.field)
        return Response(asdict(told), status=status.HTTP_422_UNPROCESSABLE_ENTITY)
    response = exception_handler(error, context)
    if response is None:
        logger.error("%s: %r", context["view"], error, exc_info=error)
        return Response(asdict(STUMBLED), status=status.HTTP_500_INTERNAL_SERVER_ERROR)
    response.data = asdict(_problem(error))
    return response


@csrf_exempt
def nothing_here(request: HttpRequest) -> JsonResponse:  # noqa: ARG001
    """Every address below the API's that is none."""
    return JsonResponse(asdict(NOTHING), status=status.HTTP_404_NOT_FOUND)


def _problem(error: Exception) -> Problem:
    if isinstance(error, Http404):
        return NOTHING
    if isinstance(error, PermissionDenied):
        return Problem("This is not yours to do.", "denied")
    if isinstance(error, ValidationError):
        field, sentence = next(_sentences(error.detail, ""), ("", str(error)))
        return Problem(sentence, "invalid", field)
    if isinstance(error, APIException):
        return Problem(str(error.detail), str(error.default_code))
    return Problem(str(error), "error")


def _sentences(detail: object, field: str) -> Iterator[tuple[str, str]]:
    """Every field with its sentence, however deep."""
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            path = name if not field else f"{field}.{name}"
            yield from _sentences(inner, "" if name == "non_field_errors" else str(path))
    elif isinstance(detail, list):
        for inner in detail:
            yield from _sentences(inner, field)
    else:
        yield field, str(detail)
