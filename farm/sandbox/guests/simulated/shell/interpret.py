"""Running a script's tree on a guest, the way dash does."""

from __future__ import annotations

import fnmatch
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

from farm.sandbox.guests.simulated.process import Buffer, Bytes, Process, breathe
from farm.sandbox.guests.simulated.shell.expand import Expander, ExpansionError, Scope
from farm.sandbox.guests.simulated.shell.flow import ExitShell, LeaveLoop, ReturnFunction
from farm.sandbox.guests.simulated.shell.parse import parse
from farm.sandbox.guests.simulated.shell.redirect import Redirector, Streams
from farm.sandbox.guests.simulated.shell.syntax import (
    Case,
    Chain,
    Command,
    For,
    Function,
    Group,
    If,
    Pipeline,
    Redirect,
    Redirected,
    Sequence,
    ShellSyntaxError,
    Simple,
    While,
)

FUNCTION_DEPTH = 200
SPECIAL = frozenset({".", ":", "eval", "exec", "export", "readonly", "set", "unset"})

Builtin = Callable[["Shell", list[str], Process], Awaitable[int]]
"""A command that needs the shell itself: its arguments, and its streams as a process."""


class Shell:
    """One shell: its variables, functions and options, in the process it runs as."""

    def __init__(
        self,
        process: Process,
        name: str,
        positional: list[str],
        builtins: Mapping[str, Builtin],
    ) -> None:
        self.process, self.builtins = process, builtins
        self.streams = Streams(process.stdin, {1: process.stdout, 2: process.stderr})
        self.scope = Scope(dict(process.env), set(process.env), positional, name)
        self.functions: dict[str, Command] = {}
        self.options: set[str] = set()
        self.traps: dict[str, str] = {}
        self.depth = 0

    async def main(self, script: str) -> int:
        """Run a whole script as `sh script` would; answers the shell's exit code."""
        code = await self._guarded(self.run_text(script))
        if trap := self.traps.pop("EXIT", ""):
            self.scope.status = code
            after = await self._guarded(self.run_text(trap), code)
            code = after if after != self.scope.status else code
        return code & 0xFF

    async def _guarded(self, running: Awaitable[int], ended: int = 0) -> int:
        try:
            return await running
        except ExitShell as end:
            return end.code
        except LeaveLoop:
            return ended
        except (ShellSyntaxError, ExpansionError) as error:
            self.complain(str(error))
            return 2

    def complain(self, text: str) -> None:
        """One line on the shell's standard error, with its name as dash writes it."""
        self.streams.sink(2).write(f"{self.scope.name}: 1: {text}\n".encode())

    async def run_text(self, script: str) -> int:
        """Parse and run in this very shell."""
        return await self.sequence(parse(script))

    async def sequence(self, body: Sequence, *, checked: bool = False) -> int:
        """Run chain after chain; when `checked`, a failure does not end the shell."""
        for chain in body.chains:
            await self._chain(chain, checked=checked)
        return self.scope.status

    async def _chain(self, chain: Chain, *, checked: bool) -> None:
        if chain.background:
            self._detach(chain)
            return
        last = chain.first
        status = await self._pipeline(last, checked=checked or bool(chain.rest))
        for at, (operator, pipeline) in enumerate(chain.rest):
            if (status == 0) == (operator == "&&"):
                last = pipeline
                final = at == len(chain.rest) - 1
                status = await self._pipeline(pipeline, checked=checked or not final)
        self.scope.status = status
        ends = chain.rest[-1][1] if chain.rest else chain.first
        if status and "e" in self.options and not checked and last is ends and not last.negated:
            raise ExitShell(status)

    def _detach(self, chain: Chain) -> None:
        shell = self.subshell(self.streams)
        foreground = Sequence((replace(chain, background=False),))
        running = shell._guarded(shell.sequence(foreground))  # noqa: SLF001  another of our kind
        self.scope.last_background = self.process.machine.detach(running)
        self.scope.status = 0

    async def _pipeline(self, pipeline: Pipeline, *, checked: bool) -> int:
        checked = checked or pipeline.negated
        if len(pipeline.commands) == 1:
            status = await self.command(pipeline.commands[0], checked=checked)
        else:
            status = await self._piped(pipeline.commands)
        self.scope.status = int(status == 0) if pipeline.negated else status
        return self.scope.status

    async def _piped(self, commands: tuple[Command, ...]) -> int:
        source, statuses = self.streams.source, [0]
        for at, command in enumerate(commands):
            last = at == len(commands) - 1
            buffer = Buffer()
            sinks = dict(self.streams.sinks) if last else {**self.streams.sinks, 1: buffer}
            shell = self.subshell(Streams(source, sinks))
            body = Sequence((Chain(Pipeline((command,), negated=False), ()),))
            statuses.append(await shell._guarded(shell.sequence(body)))  # noqa: SLF001
            source = Bytes(bytes(buffer.content))
        failed = [status for status in statuses if status]
        return failed[-1] if failed and "pipefail" in self.options else statuses[-1]

    def subshell(self, streams: Streams) -> Shell:
        """A copy whose changes nobody sees."""
        shell = Shell(
            replace(self.process), self.scope.name, list(self.scope.positional), self.builtins
        )
        shell.streams = streams
        shell.scope = replace(
            self.scope,
            variables=dict(self.scope.variables),
            exported=set(self.scope.exported),
            positional=list(self.scope.positional),
        )
        shell.functions, shell.options = dict(self.functions), set(self.options)
        shell.depth = self.depth + 1
        if shell.depth > FUNCTION_DEPTH:
            raise ShellSyntaxError("maximum recursion depth exceeded")
        return shell

    def expander(self) -> Expander:
        """Expands words with this shell's variables."""
        return Expander(self.scope, self.process.files, self._substitute)

    async def _substitute(self, script: str) -> str:
        buffer = Buffer()
        shell = self.subshell(Streams(self.streams.source, {**self.streams.sinks, 1: buffer}))
        self.scope.status = await shell._guarded(shell.run_text(script))  # noqa: SLF001
        return buffer.content.replace(b"\0", b"").decode(errors="surrogateescape")

    async def command(self, command: Command, *, checked: bool) -> int:
        """Run one command; answers its status."""
        await breathe()
        if isinstance(command, Simple):
            return await self._simple(command)
        if isinstance(command, Function):
            self.functions[command.name] = command.body
            return 0
        if isinstance(command, If | Case):
            return await self._branch(command, checked=checked)
        return await self._compound(command, checked=checked)

    async def _branch(self, command: If | Case, *, checked: bool) -> int:
        if isinstance(command, If):
            return await self._if(command, checked=checked)
        return await self._case(command, checked=checked)

    async def _compound(self, command: For | While | Group | Redirected, *, checked: bool) -> int:
        if isinstance(command, For):
            return await self._for(command, checked=checked)
        if isinstance(command, While):
            return await self._while(command, checked=checked)
        if isinstance(command, Group):
            return await self._group(command, checked=checked)
        return await self._redirected(command, checked=checked)

    async def _redirected(self, command: Redirected, *, checked: bool) -> int:
        streams = await self._redirect(command.redirects)
        if streams is None:
            return 2
        before, self.streams = self.streams, streams
        try:
            return await self.command(command.command, checked=checked)
        finally:
            self.streams = before

    async def _redirect(self, redirects: tuple[Redirect, ...]) -> Streams | None:
        redirector = Redirector(self.process.files, self.process.umask, self.expander().text)
        try:
            return await redirector.apply(redirects, self.streams)
        except OSError as error:
            verb = "open" if error.errno in {2, 13, 21} else "create"
            self.complain(f"cannot {verb} {error.filename}: {error.strerror}")
            return None

    async def _if(self, command: If, *, checked: bool) -> int:
        for condition, body in command.branches:
            if await self.sequence(condition, checked=True) == 0:
                return await self.sequence(body, checked=checked)
        if command.otherwise is not None:
            return await self.sequence(command.otherwise, checked=checked)
        return 0

    async def _group(self, command: Group, *, checked: bool) -> int:
        if not command.subshell:
            return await self.sequence(command.body, checked=checked)
        shell = self.subshell(self.streams)
        if checked:
            shell.options.discard("e")
        return await shell._guarded(shell.sequence(command.body))  # noqa: SLF001

    async def _case(self, command: Case, *, checked: bool) -> int:
        expander = self.expander()
        subject = await expander.text(command.subject)
        for patterns, body in command.branches:
            for pattern in patterns:
                if fnmatch.fnmatchcase(subject, await expander.pattern(pattern)):
                    self.scope.status = 0
                    return await self.sequence(body, checked=checked)
        return 0

    async def _for(self, command: For, *, checked: bool) -> int:
        values = list(self.scope.positional)
        if command.words is not None:
            values = await self.expander().fields(command.words)
        status = 0
        for value in values:
            self.scope.variables[command.name] = value
            try:
                status = await self.sequence(command.body, checked=checked)
            except LeaveLoop as leave:
                if _goes_on(leave):
                    continue
                break
        return status

    async def _while(self, command: While, *, checked: bool) -> int:
        status = 0
        while (await self.sequence(command.condition, checked=True) == 0) != command.until:
            try:
                status = await self.sequence(command.body, checked=checked)
            except LeaveLoop as leave:
                if _goes_on(leave):
                    continue
                break
        return status

    async def _simple(self, command: Simple) -> int:
        self.scope.nounset = "u" in self.options
        expander = self.expander()
        before = self.scope.status
        self.scope.status = 0
        assignments = [(name, await expander.text(word)) for name, word in command.assignments]
        substituted, self.scope.status = self.scope.status, before
        words = await expander.fields(command.words)
        streams = await self._redirect(command.redirects)
        if streams is None:
            return 2
        self._trace(words)
        if not words:
            self.scope.variables.update(assignments)
            return substituted
        return await self._call(words, dict(assignments), streams)

    def _trace(self, words: list[str]) -> None:
        if "x" in self.options and words:
            self.streams.sink(2).write(f"+ {' '.join(words)}\n".encode())

    async def _call(self, words: list[str], extra: dict[str, str], streams: Streams) -> int:
        if words[0] in self.functions:
            return await self._function(words, streams)
        process = self._process(words, extra, streams)
        builtin = self.builtins.get(words[0])
        if builtin is not None:
            return await self._built_in(builtin, process, extra)
        return await self.process.machine.run(process)

    async def _built_in(self, builtin: Builtin, process: Process, extra: dict[str, str]) -> int:
        """Assignments before a special builtin stay, before any other they last for it."""
        before = self.scope.variables
        self.scope.variables = before | extra if extra else before
        code = await builtin(self, process.arguments, process)
        if extra and process.argv[0] not in SPECIAL:
            changed = {n: v for n, v in self.scope.variables.items() if n not in extra}
            self.scope.variables = changed | {n: before[n] for n in extra if n in before}
        return code

    def _process(self, words: list[str], extra: dict[str, str], streams: Streams) -> Process:
        variables = self.scope.variables
        env = {name: variables[name] for name in self.scope.exported if name in variables}
        return replace(
            self.process,
            argv=words,
            env={**env, **extra},
            stdin=streams.source,
            stdout=streams.sink(1),
            stderr=streams.sink(2),
        )

    async def _function(self, words: list[str], streams: Streams) -> int:
        scope, before = self.scope, self.streams
        positional, scope.positional = scope.positional, words[1:]
        self.streams, self.depth = streams, self.depth + 1
        if self.depth > FUNCTION_DEPTH:
            raise ShellSyntaxError("maximum function recursion depth exceeded")
        try:
            return await self.command(self.functions[words[0]], checked=False)
        except ReturnFunction as end:
            return end.code
        finally:
            scope.positional, self.streams, self.depth = positional, before, self.depth - 1


def _goes_on(leave: LeaveLoop) -> bool:
    """Whether this loop runs again; a leave that aims further out is passed on."""
    if leave.levels > 1:
        raise LeaveLoop(leave.levels - 1, again=leave.again)
    return leave.again
