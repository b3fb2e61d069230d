"""Running: sessions and bindings."""

from __future__ import annotations

import ctypes
import threading
from typing import Any, List, Optional, Union

from ._library import Handle, check, integer, invalid, lib, text, use
from ._model import Model, Port, Tensors
from ._options import OptionsLike, given
from ._raw import ReportKind, Side
from ._report import Report
from ._tensor import Tensor


class Session(Handle):
    """A model compiled for this machine. Many threads may run one session at the same time."""

    __slots__ = ("inputs", "outputs")
    _release = lib.intmill_session_release

    def __init__(self, model: Model, options: OptionsLike = None) -> None:
        bag, hooks = given(options)
        self._init(lib.intmill_session_create, use(model, Model), bag, hooks=hooks)
        self.inputs: List[Port] = model.inputs
        self.outputs: List[Port] = model.outputs

    def run(self, feeds: Any) -> List[Tensor]:
        """Runs the model once: a dict of values by input name, a list of them in order, or the only one."""
        session, inputs = self._use(), Tensors(self.inputs, feeds)
        outputs = (ctypes.c_void_p * len(self.outputs))()
        check(lib.intmill_session_run(session, inputs.array, inputs.count, outputs, len(outputs)), session.hooks)
        return [Tensor._adopt(pointer) for pointer in outputs]

    def save(self, path: Any) -> None:
        """Writes the model and what it was compiled to, as an .ims file: Model.load() and a Session of that are many
        times faster, on the same kind of machine."""
        check(lib.intmill_session_save(self._use(), text(path)))

    def report(self, kind: ReportKind = ReportKind.PROFILE) -> Report:
        """PROFILE (of a session with the option profile=1) or MEMORY."""
        return Report._make(lib.intmill_session_report, self._use(), kind)


class Binding(Handle):
    """One thread's run state. It holds on to its tensors, so that run() moves nothing: write into the inputs, run,
    read the outputs. Calls from several threads wait for each other."""

    __slots__ = ("_ports", "_lock")
    _release = lib.intmill_binding_release

    def __init__(self, session: Session) -> None:
        self._init(lib.intmill_binding_create, use(session, Session), hooks=session._use().hooks)
        self._ports = {Side.INPUT: session.inputs, Side.OUTPUT: session.outputs}
        self._lock = threading.Lock()

    def set(self, side: Side, port: Union[int, str], value: Any) -> None:
        """Binds a value to a port, by its name or number; it is shared, not copied, where Tensor.of shares. None
        for an output: the binding makes one, as in the beginning."""
        index, tensor = self._index(side, port), None
        if side == Side.OUTPUT and value is not None and not _is_writable(value):
            raise invalid(f"output {port}: {type(value).__name__} is not dense memory that can be written")
        if side == Side.INPUT or value is not None:
            kinds = dict(enumerate(self._ports[side]))
            tensor = Tensor.of(value, kinds[index].dtype if index in kinds else None)._use()
        with self._lock:
            check(lib.intmill_binding_set(self._use(), side, index, tensor))

    def set_input(self, port: Union[int, str], value: Any) -> None:
        self.set(Side.INPUT, port, value)

    def set_output(self, port: Union[int, str], value: Any) -> None:
        self.set(Side.OUTPUT, port, value)

    def get(self, side: Side, port: Union[int, str]) -> Tensor:
        """The tensor of a port. An output that the binding made is written again by the next run."""
        with self._lock:
            return Tensor._make(lib.intmill_binding_get, self._use(), side, self._index(side, port))

    def output(self, port: Union[int, str] = 0) -> Tensor:
        return self.get(Side.OUTPUT, port)

    def run(self) -> None:
        binding = self._use()
        with self._lock:
            status = _run(binding)
        if status:
            check(status, binding.hooks)

    def _index(self, side: Side, port: Union[int, str]) -> int:
        if not isinstance(port, str):
            return integer(port)
        names = [p.name for p in self._ports[side]]
        if port not in names:
            raise invalid(f"no {side.name.lower()} '{port}', only {', '.join(names)}")
        return names.index(port)


_run = lib.intmill_binding_run


def _is_writable(value: Any) -> bool:
    if isinstance(value, Tensor):
        return True
    try:
        view: Optional[memoryview] = memoryview(value)
    except (TypeError, ValueError, BufferError):
        return hasattr(value, "__dlpack__")
    return view is not None and view.c_contiguous and not view.readonly
