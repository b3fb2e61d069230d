"""DLPack capsules, both ways."""

from __future__ import annotations

import ctypes
import sys
import threading
from typing import Any, List, Optional, Tuple

from ._library import Reference, check, lib

_python = ctypes.pythonapi
_python.PyCapsule_New.restype = ctypes.py_object
_python.PyCapsule_New.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
_python.PyCapsule_IsValid.argtypes = [ctypes.py_object, ctypes.c_char_p]
_python.PyCapsule_GetPointer.restype = ctypes.c_void_p
_python.PyCapsule_GetPointer.argtypes = [ctypes.py_object, ctypes.c_char_p]
_python.PyCapsule_SetName.argtypes = [ctypes.py_object, ctypes.c_char_p]

# Of plain and of versioned capsules: the name; the name once taken (a capsule keeps the pointer, so they live here);
# functions in and out; where the deleter is: behind the tensor and the context, or the version and the context.
_PLAIN = (b"dltensor", b"used_dltensor", lib.intmill_tensor_from_dlpack, lib.intmill_tensor_to_dlpack, 56)
_VERSIONED = (b"dltensor_versioned", b"used_dltensor_versioned", lib.intmill_tensor_from_dlpack_versioned,
              lib.intmill_tensor_to_dlpack_versioned, 16)


def take(source: Any) -> Optional[int]:
    """The C tensor of something with __dlpack__."""
    try:
        capsule = source.__dlpack__(max_version=(1, 0))
    except TypeError:  # older than DLPack 1.0
        capsule = source.__dlpack__()
    for name, used, function, _, _ in (_VERSIONED, _PLAIN):
        if _python.PyCapsule_IsValid(capsule, name):
            out = ctypes.c_void_p()
            check(function(_python.PyCapsule_GetPointer(capsule, name), ctypes.byref(out)))
            _python.PyCapsule_SetName(capsule, used)
            return out.value
    raise TypeError(f"__dlpack__ of {type(source).__name__} gave no DLPack capsule")


# Capsules that perhaps nobody took. A destructor is the usual way to free those, but it may run while an exception is
# on its way, when Python code must not be called. So an unused one goes at the next export.
_given: List[Tuple[Any, bytes, int]] = []
_lock = threading.Lock()


def give(tensor: Reference, versioned: bool) -> Any:
    name, _, _, function, deleter = _VERSIONED if versioned else _PLAIN
    out = ctypes.c_void_p()
    check(function(tensor, ctypes.byref(out)))
    capsule = _python.PyCapsule_New(out, name, None)
    with _lock:
        _given[:] = [entry for entry in _given if not _settled(entry)] + [(capsule, name, deleter)]
    return capsule


def _settled(entry: Tuple[Any, bytes, int]) -> bool:
    """Whether a capsule was taken, or is nobody's: then its deleter is called."""
    capsule, name, deleter = entry
    if _python.PyCapsule_IsValid(capsule, name):
        if sys.getrefcount(capsule) > 3:  # the entry, the variable here, the argument; somebody else
            return False
        pointer = _python.PyCapsule_GetPointer(capsule, name)
        address = ctypes.c_void_p.from_address(pointer + deleter).value
        if address:
            ctypes.CFUNCTYPE(None, ctypes.c_void_p)(address)(pointer)
    return True
