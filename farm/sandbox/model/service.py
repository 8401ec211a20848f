"""The model as an HTTP service: three providers' dialects over one mind and one log."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Protocol

from aiohttp import web

from farm.sandbox.callers import comes_from
from farm.sandbox.clock import Clock
from farm.sandbox.faults import Answer, Gate, Passage
from farm.sandbox.faults_http import Handler, pass_gate
from farm.sandbox.model import MOST_STEPS
from farm.sandbox.model.anthropic import Anthropic
from farm.sandbox.model.conversation import Conversation, Reply
from farm.sandbox.model.demo import demo_reply
from farm.sandbox.model.google import STREAM_VERB, Google
from farm.sandbox.model.keys import Keyring, Verdict
from farm.sandbox.model.openai import OpenAI
from farm.sandbox.model.pace import Pace
from farm.sandbox.model.responses import Responses
from farm.sandbox.model.script import ScriptedTurn
from farm.sandbox.model.speech import Speech
from farm.sandbox.model.usage import Usage, usage_of
from farm.sandbox.wire import BadRequestError, JsonObject, answer, read_object

REMEMBERED_REQUESTS = 300
_LARGEST_REQUEST = 32 * 1024 * 1024
_LONGEST_LOGGED = 4000


class Dialect(Protocol):
    """A provider's way of asking and answering."""

    def key(self, request: web.Request) -> str:
        """The key a request shows, "" without one."""

    def conversation(self, body: JsonObject) -> Conversation:
        """What is asked; BadRequestError where the provider says 400."""

    def speech(self, conversation: Conversation, reply: Reply, usage: Usage) -> Speech:
        """The answer in its words."""

    def models(self) -> web.Response:
        """The list of models."""

    def refused(self, key: str) -> web.Response:
        """For a key it does not know."""

    def without_credit(self) -> web.Response:
        """For a key that cannot pay."""

    def unusable(self, message: str) -> web.Response:
        """For a request it cannot read."""

    def ordered(self, ordered: Answer) -> web.Response:
        """For a fault that a test ordered."""


@dataclass(frozen=True, slots=True)
class LoggedRequest:
    """What was asked of the model and what it said; of the key only the last four characters."""

    at: str
    remote: str
    path: str
    key: str
    model: str
    stream: bool
    messages: int
    tools: tuple[str, ...]
    question: str
    reply: str
    calls: tuple[str, ...]


@dataclass(slots=True)
class Model:
    """One mind: its keys, the script of a test, and a bounded log of what it was asked."""

    keyring: Keyring
    clock: Clock
    gate: Gate
    hosts: frozenset[str]
    script: tuple[ScriptedTurn, ...] = ()
    pace: Pace = field(default_factory=Pace)
    log: deque[LoggedRequest] = field(default_factory=lambda: deque(maxlen=REMEMBERED_REQUESTS))

    def application(self) -> web.Application:
        """Every provider's routes; a request with x-api-key is Anthropic's."""
        application = web.Application(client_max_size=_LARGEST_REQUEST)
        application.router.add_get("/v1/models", self._list_models)
        application.router.add_post("/v1/chat/completions", self._answer)
        application.router.add_post("/v1/responses", self._answer)
        application.router.add_post("/v1/messages", self._answer)
        application.router.add_get("/v1beta/models", self._list_models)
        application.router.add_post("/v1beta/models/{model}:{verb}", self._answer)
        application.router.add_post("/v1beta/openai/chat/completions", self._answer)
        return application

    def reply(self, conversation: Conversation) -> Reply:
        """The script's word if a turn of it matches, else the demonstration's."""
        if conversation.steps_taken >= MOST_STEPS:
            return Reply(text=f"I stop here: {MOST_STEPS} rounds of tools are enough.")
        for turn in self.script:
            if turn.match in conversation.question:
                return turn.reply(conversation)
        return demo_reply(conversation)

    async def _list_models(self, request: web.Request) -> web.StreamResponse:
        dialect = self._dialect(request)

        async def listed(_: Passage) -> web.StreamResponse:
            key = dialect.key(request)
            refused = self.keyring.verdict(key) is Verdict.REFUSED
            return dialect.refused(key) if refused else dialect.models()

        return await self._behind_gate(request, dialect, listed)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        dialect = self._dialect(request)

        async def answered(_: Passage) -> web.StreamResponse:
            return await self._answered(request, dialect)

        return await self._behind_gate(request, dialect, answered)

    def _dialect(self, request: web.Request) -> Dialect:
        if "x-api-key" in request.headers or request.path == "/v1/messages":
            return Anthropic()
        if request.path.startswith("/v1beta/models"):
            verb = request.match_info.get("verb", "")
            return Google(request.match_info.get("model", ""), verb == STREAM_VERB)
        created = int(self.clock.now().timestamp())
        return Responses(created) if request.path == "/v1/responses" else OpenAI(created)

    async def _behind_gate(
        self, request: web.Request, dialect: Dialect, handler: Handler
    ) -> web.StreamResponse:
        gate = self.gate if comes_from(request, self.hosts) else Gate()
        detail = f"{request.method} {request.path}"
        return await pass_gate(
            gate, request, kind="model", detail=detail, handler=handler, refuse=dialect.ordered
        )

    async def _answered(self, request: web.Request, dialect: Dialect) -> web.StreamResponse:
        key = dialect.key(request)
        verdict = self.keyring.verdict(key)
        if verdict is Verdict.REFUSED:
            return dialect.refused(key)
        if verdict is Verdict.WITHOUT_CREDIT:
            return dialect.without_credit()
        try:
            conversation = dialect.conversation(await read_object(request))
        except BadRequestError as problem:
            return dialect.unusable(str(problem))
        reply = self.reply(conversation)
        self._remember(request, key, conversation, reply)
        speech = dialect.speech(conversation, reply, usage_of(conversation, reply))
        if conversation.stream:
            return await self.pace.streamed(request, speech)
        return answer(speech.whole())

    def _remember(
        self, request: web.Request, key: str, conversation: Conversation, reply: Reply
    ) -> None:
        self.log.append(
            LoggedRequest(
                at=self.clock.now().isoformat(),
                remote=request.remote or "",
                path=request.path,
                key=key[-4:],
                model=conversation.model,
                stream=conversation.stream,
                messages=len(conversation.messages),
                tools=tuple(tool.name for tool in conversation.tools),
                question=conversation.question[:_LONGEST_LOGGED],
                reply=reply.text[:_LONGEST_LOGGED],
                calls=tuple(call.name for call in reply.calls),
            )
        )
