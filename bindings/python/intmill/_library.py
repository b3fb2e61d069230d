"""The shared library: where it is found, calls that raise, and references that give themselves back."""

from __future__ import annotations

import ctypes
import operator
import os
import pathlib
from typing import Any, Callable, ClassVar, Optional, Type, TypeVar

from . import _raw
from ._raw import Status

H = TypeVar("H", bound="Handle")


class IntmillError(Exception):
    """A call that failed. `status` says what kind of failure it is, the text what happened."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        known = status in Status.__members__.values()  # a newer library may have more
        self.status: int = Status(status) if known else status

    def __reduce__(self) -> Any:  # so that it can come out of another process
        return IntmillError, (self.status, str(self))


def invalid(message: str) -> IntmillError:
    return IntmillError(Status.INVALID_ARGUMENT, message)


def _open() -> ctypes.CDLL:
    """INTMILL_LIBRARY (nothing else will do then), else the package's own copy, else the system's."""
    beside = pathlib.Path(__file__).parent / _raw.SONAME
    path = os.environ.get("INTMILL_LIBRARY") or (str(beside) if beside.exists() else _raw.SONAME)
    try:
        library = ctypes.CDLL(path)
        for name, (restype, argtypes) in _raw.PROTOTYPES.items():
            function = getattr(library, name)
            function.restype, function.argtypes = restype, argtypes
    except OSError as error:
        raise ImportError(f"intmill: the shared library cannot be loaded: {error}") from None
    except AttributeError as error:
        raise ImportError(f"intmill: {path} is older than this package: {error}") from None
    return library


lib = _open()


def check(status: int, hooks: Any = None) -> None:
    """Raises what failed. What a progress hook raised comes first: it is why the call was cancelled."""
    if not status:
        return
    if status == Status.CANCELLED and hooks is not None and hooks.error is not None:
        error, hooks.error = hooks.error, None
        raise error
    raise IntmillError(status, lib.intmill_last_error().decode())


def text(value: Any) -> bytes:
    """A string or path as C wants it. What is not UTF-8 is left to the library to refuse."""
    data = value if isinstance(value, bytes) else os.fspath(value)
    if isinstance(data, str):
        data = data.encode("utf-8", "surrogateescape")
    if b"\0" in data:
        raise invalid(f"{value!r} holds a zero character")
    return bytes(data)


def integer(value: Any, bits: int = 64) -> int:
    """ctypes would cut off what does not fit."""
    number = operator.index(value)
    if not -(1 << bits - 1) <= number < 1 << bits - 1:
        raise invalid(f"{number} does not fit into {bits} bits")
    return number


class Reference:
    """One reference to a C object, given back when the last user of this one is gone. It is handed to ctypes as it
    is, so a call holds on to it, and close() in another thread cannot pull the object from under the call.
    `hooks` are those of the options that the object was made with."""

    __slots__ = ("_as_parameter_", "_release", "hooks")

    def __init__(self, pointer: Optional[int], release: Callable[[Any], Any], hooks: Any = None) -> None:
        self._as_parameter_, self._release, self.hooks = pointer, release, hooks

    def __del__(self) -> None:
        self._release(self._as_parameter_)

    def __reduce__(self) -> Any:  # a copy of the pointer would be given back twice
        raise TypeError("objects of intmill cannot be pickled: save the model and load it there")


class Handle:
    """What all objects have: close() or `with` gives the C object back now, the garbage collector later. Objects
    may be closed in any order; using a closed one raises IntmillError with Status.STATE."""

    _release: ClassVar[Callable[[Any], Any]]
    _reference: Optional[Reference]
    __slots__ = ("_reference", "__weakref__")

    def __init__(self) -> None:
        raise TypeError(f"{type(self).__name__} has no constructor: see the class methods")

    def _init(self, function: Callable[..., int], *arguments: Any, hooks: Any = None) -> None:
        """Calls a function whose last parameter is `out`, and takes over what it makes."""
        out = ctypes.c_void_p()
        check(function(*arguments, ctypes.byref(out)), hooks)
        self._reference = Reference(out.value, type(self)._release, hooks)

    @classmethod
    def _make(cls: Type[H], function: Callable[..., int], *arguments: Any, hooks: Any = None) -> H:
        self = cls.__new__(cls)
        self._init(function, *arguments, hooks=hooks)
        return self

    @classmethod
    def _adopt(cls: Type[H], pointer: Optional[int], hooks: Any = None) -> H:
        self = cls.__new__(cls)
        self._reference = Reference(pointer, cls._release, hooks)
        return self

    def _use(self) -> Reference:
        if self._reference is None:
            raise IntmillError(Status.STATE, f"the {type(self).__name__.lower()} is closed")
        return self._reference

    @property
    def closed(self) -> bool:
        return self._reference is None

    def close(self) -> None:
        """Gives the object back; again: nothing happens. A call under way in another thread goes on."""
        self._reference = None

    def __enter__(self: H) -> H:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def use(handle: Any, kind: Type[Handle]) -> Reference:
    """The reference of an argument, which must be of this kind."""
    if not isinstance(handle, kind):
        raise TypeError(f"{kind.__name__} wanted, found {type(handle).__name__}")
    return handle._use()
