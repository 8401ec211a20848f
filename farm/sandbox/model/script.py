"""What a test wants the model to say: turns matched by a substring of the question."""

from __future__ import annotations

from dataclasses import dataclass

from farm.sandbox.model.conversation import Conversation, Reply, ToolCall
from farm.sandbox.wire import BadRequestError, JsonObject, object_of, objects_of, text_of

RESULT_MARK = "{result}"


@dataclass(frozen=True, slots=True)
class ScriptedTurn:
    """The steps by which a question that contains `match` is answered, one per request.

    A text step ends the turn; RESULT_MARK in it stands for what the last tool returned.
    """

    match: str
    steps: tuple[Reply, ...]

    def reply(self, conversation: Conversation) -> Reply:
        """The step the conversation has come to; past the last one, the end of the turn."""
        if conversation.steps_taken >= len(self.steps):
            return Reply(text="Done.")
        step = self.steps[conversation.steps_taken]
        result = conversation.results[-1] if conversation.results else ""
        return Reply(text=step.text.replace(RESULT_MARK, result), calls=step.calls)


def read_script(body: JsonObject) -> tuple[ScriptedTurn, ...]:
    """The turns of {"turns": [{"match": "weather", "steps": [STEP, ...]}, ...]}.

    A STEP is {"text": "..."} or {"calls": [{"name": "exec", "arguments": {"command": "ls"}}]}.
    """
    if "turns" not in body:
        raise BadRequestError('turns is missing: send {"turns": [{"match": ..., "steps": ...}]}.')
    return tuple(_turn(raw) for raw in objects_of(body, "turns"))


def _turn(raw: JsonObject) -> ScriptedTurn:
    steps = tuple(_step(step) for step in objects_of(raw, "steps"))
    if not steps:
        raise BadRequestError("A turn without steps: give at least one text or one list of calls.")
    return ScriptedTurn(match=text_of(raw, "match"), steps=steps)


def _step(raw: JsonObject) -> Reply:
    calls = tuple(
        ToolCall(name=text_of(call, "name"), arguments=object_of(call, "arguments"))
        for call in objects_of(raw, "calls")
    )
    return Reply(calls=calls) if calls else Reply(text=text_of(raw, "text"))
