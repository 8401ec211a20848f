"""Reading one word of a script: quotes, variables, substitutions."""

from __future__ import annotations

from farm.sandbox.guests.simulated.shell.syntax import (
    Arithmetic,
    Literal,
    Part,
    ShellSyntaxError,
    Substitution,
    Variable,
    Word,
)

NAME_START = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_")
NAME = NAME_START | frozenset("0123456789")
SPECIAL = frozenset("@*#?-$!0123456789")
OPERATORS = (":-", ":=", ":+", ":?", "##", "%%", "-", "=", "+", "?", "#", "%")
ENDS_WORD = frozenset(" \t\n;&|<>()")


class WordReader:
    """Reads parts from `text` starting at `at`; `at` then stands behind what was read."""

    def __init__(self, text: str, at: int = 0) -> None:
        self.text, self.at = text, at
        self._parts: list[Part] = []
        self._plain: list[str] = []

    def word(self, ends: frozenset[str] = ENDS_WORD) -> Word:
        """One word, up to an unquoted character of `ends` or the end."""
        while self.at < len(self.text) and self.text[self.at] not in ends:
            self._unquoted(self.text[self.at])
        self._flush(quoted=False)
        return tuple(self._parts)

    def quoted(self, end: str) -> Word:
        """What stands between double quotes, or in a here-document when `end` is ""."""
        while self.at < len(self.text) and self.text[self.at] != end:
            self._inside_quotes(self.text[self.at], end)
        if end:
            self._skip(end)
        self._flush(quoted=True)
        return tuple(self._parts)

    def _unquoted(self, char: str) -> None:
        if char == "'":
            self._single()
        elif char == '"':
            self._double()
        elif char == "\\":
            self._escape()
        elif char in "$`":
            self._dollar(quoted=False)
        else:
            self._plain.append(char)
            self.at += 1

    def _single(self) -> None:
        close = self.text.find("'", self.at + 1)
        if close < 0:
            raise ShellSyntaxError("Syntax error: Unterminated quoted string")
        self._flush(quoted=False)
        self._parts.append(Literal(self.text[self.at + 1 : close], quoted=True))
        self.at = close + 1

    def _double(self) -> None:
        self._flush(quoted=False)
        inner = WordReader(self.text, self.at + 1)
        parts = inner.quoted('"')
        self._parts.extend(parts or (Literal("", quoted=True),))
        self.at = inner.at

    def _escape(self) -> None:
        following = self.text[self.at + 1 : self.at + 2]
        self.at += 2
        if following == "\n":
            return
        self._flush(quoted=False)
        self._parts.append(Literal(following or "\\", quoted=True))

    def _inside_quotes(self, char: str, end: str) -> None:
        following = self.text[self.at + 1 : self.at + 2]
        if char == "\\" and following and following in {"$", "`", "\\", "\n", end}:
            self._plain.append("" if following == "\n" else following)
            self.at += 2
        elif char in "$`":
            self._dollar(quoted=True)
        else:
            self._plain.append(char)
            self.at += 1

    def _dollar(self, *, quoted: bool) -> None:
        if self.text[self.at] == "`":
            self._add(self._backticks(quoted=quoted), quoted=quoted)
            return
        following = self.text[self.at + 1 : self.at + 2]
        if self.text.startswith("$((", self.at):
            self._add(self._arithmetic(quoted=quoted), quoted=quoted)
        elif following == "(":
            self._add(self._command(quoted=quoted), quoted=quoted)
        elif following == "{":
            self._add(self._braces(quoted=quoted), quoted=quoted)
        elif following in NAME_START or following in SPECIAL:
            self._add(self._bare(quoted=quoted), quoted=quoted)
        else:
            self._plain.append("$")
            self.at += 1

    def _add(self, part: Part, *, quoted: bool) -> None:
        self._flush(quoted=quoted)
        self._parts.append(part)

    def _flush(self, *, quoted: bool) -> None:
        if self._plain:
            self._parts.append(Literal("".join(self._plain), quoted))
            self._plain = []

    def _skip(self, text: str) -> None:
        if not self.text.startswith(text, self.at):
            raise ShellSyntaxError("Syntax error: Unterminated quoted string")
        self.at += len(text)

    def _bare(self, *, quoted: bool) -> Variable:
        self.at += 1
        return Variable(self._name(), quoted)

    def _name(self) -> str:
        start = self.at
        if self.text[start : start + 1] in SPECIAL:
            self.at += 1
        while (
            self.at < len(self.text)
            and self.text[self.at] in NAME
            and (self.at == start or self.text[start] not in SPECIAL)
        ):
            self.at += 1
        return self.text[start : self.at]

    def _braces(self, *, quoted: bool) -> Variable:
        self.at += 2
        if self.text[self.at : self.at + 1] == "#" and self.text[self.at + 1 : self.at + 2] != "}":
            self.at += 1
            name = self._name()
            self._skip("}")
            return Variable(name, quoted, "length")
        name = self._name()
        operator = next((op for op in OPERATORS if self.text.startswith(op, self.at)), "")
        self.at += len(operator)
        word: Word = ()
        if operator:
            inner = WordReader(self.text, self.at)
            word = inner.word(frozenset("}"))
            self.at = inner.at
        if not name or not self.text.startswith("}", self.at):
            raise ShellSyntaxError("Syntax error: Bad substitution")
        self.at += 1
        return Variable(name, quoted, operator, word)

    def _command(self, *, quoted: bool) -> Substitution:
        end = closing(self.text, self.at + 2)
        script = self.text[self.at + 2 : end]
        self.at = end + 1
        return Substitution(script, quoted)

    def _arithmetic(self, *, quoted: bool) -> Part:
        end = closing(self.text, self.at + 3)
        if not self.text.startswith("))", end):
            return self._command(quoted=quoted)
        expression = WordReader(self.text[self.at + 3 : end]).quoted("")
        self.at = end + 2
        return Arithmetic(expression, quoted)

    def _backticks(self, *, quoted: bool) -> Substitution:
        close = self.at + 1
        while close < len(self.text) and self.text[close] != "`":
            close += 2 if self.text[close] == "\\" else 1
        if close >= len(self.text):
            raise ShellSyntaxError("Syntax error: EOF in backquote substitution")
        script = self.text[self.at + 1 : close]
        self.at = close + 1
        return Substitution(script.replace("\\`", "`").replace("\\\\", "\\"), quoted)


def closing(text: str, at: int) -> int:
    """Where the parenthesis that is open at `at` closes, quotes and comments respected."""
    depth, previous = 1, ""
    while at < len(text):
        char = text[at]
        if char == "\\":
            at += 1
        elif char == "'":
            at = text.find("'", at + 1)
            if at < 0:
                break
        elif char == '"':
            inner = WordReader(text, at + 1)
            inner.quoted('"')
            at = inner.at - 1
        elif char == "#" and previous in {"", " ", "\n", "\t", ";"}:
            newline = text.find("\n", at)
            at = len(text) if newline < 0 else newline
        else:
            depth += (char == "(") - (char == ")")
            if depth == 0:
                return at
        previous = char
        at += 1
    raise ShellSyntaxError('Syntax error: end of file unexpected (expecting ")")')


def plain(word: Word) -> str | None:
    """The word's text if nothing in it is quoted or expanded: only such words are keywords."""
    if len(word) == 1 and isinstance(word[0], Literal) and not word[0].quoted:
        return word[0].text
    return None
