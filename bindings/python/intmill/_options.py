"""Options: settings and hooks for any operation."""

from __future__ import annotations

import itertools
import json
import weakref
from typing import Any, Callable, Mapping, Optional, Tuple, Union

from . import _raw
from ._library import Handle, Reference, check, integer, invalid, lib, text
from ._raw import Option
from ._report import Report

LogHook = Callable[[int, str], object]
ProgressHook = Callable[[str, int, int], Optional[bool]]
OptionsLike = Union["Options", Mapping[str, Any], None]


class _Hooks:
    """The Python side of the hooks. The C side knows a number only: it may well outlive this, which whatever was
    made with the options keeps alive."""

    def __init__(self, log: Optional[LogHook], progress: Optional[ProgressHook]) -> None:
        self.log, self.progress = log, progress
        self.error: Optional[BaseException] = None
        self.number = next(_numbers)
        _alive[self.number] = self


_numbers = itertools.count(1)
_alive: "weakref.WeakValueDictionary[int, _Hooks]" = weakref.WeakValueDictionary()


def _hear_log(user: int, level: int, message: bytes) -> None:
    hooks = _alive.get(user)
    if hooks and hooks.log:
        hooks.log(level, message.decode("utf-8", "replace"))


def _hear_progress(user: int, now: Any) -> int:
    hooks = _alive.get(user)
    try:
        go_on = not (hooks and hooks.progress) or hooks.progress(
            now[0].stage.decode("utf-8", "replace"), now[0].done, now[0].total)
        return int(go_on is False)
    except BaseException as error:  # check() raises it on the Python side of the C code
        if hooks:
            hooks.error = error
        return 1


_on_log, _on_progress = _raw.LogFn(_hear_log), _raw.ProgressFn(_hear_progress)


class Options(Handle):
    """Settings by name, as in intmill.h in lower case: Options(threads=1, calibration="entropy",
    layers={"block3.*": {"skip": 1}}). Wherever options are taken, a dict of them will do.

    `log(level, message)` takes lines of log. `progress(stage, done, total)` hears of progress; when it returns
    False, the operation stops and raises IntmillError with Status.CANCELLED; what it raises comes out of the
    operation."""

    __slots__ = ("_json",)
    _json: str
    _release = lib.intmill_options_release

    def __init__(self, log: Optional[LogHook] = None, progress: Optional[ProgressHook] = None,
                 **settings: Any) -> None:
        self._replace(json.dumps(_plain(settings), default=int), _Hooks(log, progress))

    @classmethod
    def from_json(cls, json_text: str, log: Optional[LogHook] = None,
                  progress: Optional[ProgressHook] = None) -> Options:
        self = cls.__new__(cls)
        self._replace(json_text, _Hooks(log, progress))
        return self

    def _replace(self, json_text: str, hooks: _Hooks, change: Callable[[Any], int] = lambda bag: 0) -> None:
        """Makes a new bag and lets the old one go: an operation in another thread keeps what it began with."""
        fresh = Options.__new__(Options)
        fresh._init(lib.intmill_options_from_json, text(json_text), hooks=hooks)
        bag = fresh._use()
        check(change(bag))
        if hooks.log:
            check(lib.intmill_options_on_log(bag, _on_log, hooks.number))
        if hooks.progress:
            check(lib.intmill_options_on_progress(bag, _on_progress, hooks.number))
        self._json = lib.intmill_options_json(bag).decode()
        self._reference = bag

    def set(self, key: Union[Option, str], value: Union[int, float, str], layer: Optional[str] = None) -> Options:
        """Sets one key, for the layers that `layer` names (a name or a glob) or for the model."""
        name = key.name if isinstance(key, Option) else str(key).upper()
        if name not in Option.__members__:
            raise invalid(f"option '{key}' is not known")
        option = Option[name]
        where = None if layer is None else text(layer)
        if isinstance(value, (str, float)):
            function = lib.intmill_options_set_str if isinstance(value, str) else lib.intmill_options_set_f64
            plain: Any = text(value) if isinstance(value, str) else value
        else:
            function, plain = lib.intmill_options_set_i64, integer(value)
        self._replace(self._json, self._use().hooks, lambda bag: int(function(bag, where, option, plain)))
        return self

    @property
    def json(self) -> str:
        """What was set; from_json reads it back."""
        self._use()
        return self._json

    @staticmethod
    def known() -> Report:
        """Every key there is: key, name, type, per_layer, values, default, help."""
        return Report._make(lib.intmill_options_known)


def _plain(value: Any) -> Any:
    """True and False as the 1 and 0 that the library knows."""
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    return int(value) if isinstance(value, bool) else value


def given(options: OptionsLike) -> Tuple[Optional[Reference], Optional[_Hooks]]:
    """An argument, as the C side takes it, and its hooks."""
    if options is None:
        return None, None
    reference = (options if isinstance(options, Options) else Options(**options))._use()
    return reference, reference.hooks
