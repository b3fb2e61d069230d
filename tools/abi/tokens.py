"""Splits a C header into tokens that remember their line, and keeps the /** */ comments among them."""

import re
from typing import NamedTuple

TOKEN = re.compile(r"""
    (?P<doc>/\*\*(?!/).*?\*/)
  | (?P<comment>/\*.*?\*/|//[^\n]*)
  | (?P<directive>^[ \t]*\#(?:[^\n\\]|\\\n|\\.)*)
  | (?P<word>[A-Za-z_]\w*)
  | (?P<number>-?(?:0[xX][0-9a-fA-F]+|\d+))
  | (?P<string>"[^"\n]*")
  | (?P<mark>[*(){}\[\];,=])
  | (?P<space>\s+)
""", re.VERBOSE | re.DOTALL | re.MULTILINE)


class HeaderError(Exception):
    """The header breaks a rule of our style; the text begins with file and line."""


class Token(NamedTuple):
    kind: str
    text: str
    line: int


def tokenize(text, name):
    tokens, at = [], 0
    while at < len(text):
        line = text.count("\n", 0, at) + 1
        match = TOKEN.match(text, at)
        if not match:
            raise HeaderError(f"{name}:{line}: unexpected {text[at:at + 10]!r}")
        if match.lastgroup not in ("comment", "space"):
            tokens.append(Token(match.lastgroup, match.group(), line))
        at = match.end()
    tokens.append(Token("end", "the end of the file", text.count("\n") + 1))
    return tokens


class Reader:
    """A cursor over tokens. Doc comments and directives never reach the grammar: a doc comment waits in
    `doc` for the declaration, enumerator or field that follows it."""

    def __init__(self, tokens, name, on_directive):
        self._tokens, self._name, self._at = tokens, name, 0
        self._on_directive = on_directive
        self.doc = None
        self._skip()

    def _skip(self):
        while self.now.kind in ("doc", "directive"):
            token = self.now
            self._at += 1
            if token.kind == "doc":
                self.doc = token
            else:
                self._on_directive(token, self.take_doc)

    @property
    def now(self):
        return self._tokens[self._at]

    def take(self):
        token = self.now
        self._at += 1
        self._skip()
        return token

    def take_doc(self):
        doc, self.doc = self.doc, None
        return doc

    def accept(self, text):
        return self.take() if self.now.text == text else None

    def expect(self, text):
        if self.now.text != text:
            self.fail(f"found {self.now.text!r}, wanted {text!r}")
        return self.take()

    def expect_kind(self, kind):
        if self.now.kind != kind:
            self.fail(f"found {self.now.text!r}, wanted a {kind}")
        return self.take()

    def fail(self, message, line=None):
        raise HeaderError(f"{self._name}:{line or self.now.line}: {message}")
