"""Models: loading, looking inside, quantizing, saving; and the probes that watch them run."""

from __future__ import annotations

import ctypes
import importlib
import threading
from typing import Any, Dict, Iterable, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from . import _raw
from ._library import Handle, IntmillError, check, invalid, lib, text, use
from ._options import Options, OptionsLike, given
from ._raw import DType, ReportKind, Side
from ._report import Report
from ._tensor import TYPES, Tensor, give_back, lend


class Port(NamedTuple):
    """An input or output of a model. Sizes that are decided when the model runs are None, and so is the shape
    where the number of dimensions is."""

    name: str
    dtype: DType
    shape: Optional[Tuple[Optional[int], ...]]

    @property
    def type(self) -> str:
        """As ONNX Runtime says it: tensor(float)."""
        return TYPES[self.dtype].onnx


class Tensors:
    """What a model takes, as an array of C: a dict of values by input name, a list of them in order, or the only
    value. Each may be whatever Tensor.of takes."""

    def __init__(self, ports: Sequence[Port], feeds: Any) -> None:
        if isinstance(feeds, Mapping):
            names = [port.name for port in ports]
            if set(feeds) != set(names):
                raise invalid(f"the inputs are {', '.join(names)}; found {', '.join(map(str, feeds)) or 'none'}")
            feeds = [feeds[name] for name in names]
        values = feeds if isinstance(feeds, (list, tuple)) else [feeds]
        types = [port.dtype for port in ports] + [None] * len(values)
        self._references = [Tensor.of(value, dtype)._use() for value, dtype in zip(values, types)]
        self.count = len(values)
        self.array = (ctypes.c_void_p * self.count)(*(ref._as_parameter_ for ref in self._references))


class Model(Handle):
    """A graph with weights, in float or quantized. It never changes: any thread may use it at any time."""

    __slots__ = ()
    _release = lib.intmill_model_release

    @classmethod
    def load(cls, path: Any, options: OptionsLike = None) -> Model:
        """Loads a model file, .onnx or .im."""
        bag, hooks = given(options)
        return cls._make(lib.intmill_model_load, text(path), bag, hooks=hooks)

    @classmethod
    def load_memory(cls, data: Any, options: OptionsLike = None) -> Model:
        """Loads a model from the bytes of a model file, which it borrows unless they are read-only."""
        bag, hooks = given(options)
        memory = Tensor.of(data)._use()
        number = lend(memory)
        try:
            return cls._make(lib.intmill_model_load_memory, lib.intmill_tensor_data(memory),
                             lib.intmill_tensor_bytes(memory), give_back, number, bag, hooks=hooks)
        except BaseException:
            give_back(number, 0)
            raise

    def save(self, path: Any, options: OptionsLike = None) -> None:
        """Writes the model whole or not at all: as .im, or as ONNX where the path ends with .onnx (unless the
        options are an Options object or have a `format`)."""
        if text(path).endswith(b".onnx") and not isinstance(options, Options):
            options = {"format": "onnx", **(options or {})}
        bag, hooks = given(options)
        check(lib.intmill_model_save(self._use(), text(path), bag), hooks)

    def save_memory(self, options: OptionsLike = None) -> Tensor:
        """As save(), into a tensor of type U8."""
        bag, hooks = given(options)
        return Tensor._make(lib.intmill_model_save_memory, self._use(), bag, hooks=hooks)

    @property
    def inputs(self) -> List[Port]:
        return self._ports(Side.INPUT)

    @property
    def outputs(self) -> List[Port]:
        return self._ports(Side.OUTPUT)

    def _ports(self, side: Side) -> List[Port]:
        model, ports = self._use(), []
        for i in range(lib.intmill_model_port_count(model, side)):
            port = _raw.Port(struct_size=ctypes.sizeof(_raw.Port))
            check(lib.intmill_model_port(model, side, i, ctypes.byref(port)))
            sizes = port.dims[:port.rank] if port.rank > 0 else []
            shape = None if port.rank < 0 else tuple(None if size < 0 else size for size in sizes)
            ports.append(Port(port.name.decode(), DType(port.dtype), shape))
        return ports

    def report(self, kind: ReportKind = ReportKind.LAYERS) -> Report:
        """LAYERS, METADATA or CERTIFICATE."""
        return Report._make(lib.intmill_model_report, self._use(), kind)

    @property
    def metadata(self) -> Dict[str, str]:
        return self.report(ReportKind.METADATA).values()

    def annotate(self, key: str, value: str) -> Model:
        """The same model with one more fact in its metadata."""
        return self._make(lib.intmill_model_annotate, self._use(), text(key), text(value))

    def certify(self, certifying: Probe) -> Model:
        """The same model with a certificate of what a Probe.certify of it found."""
        with certifying._lock:
            return self._make(lib.intmill_model_certify, self._use(), use(certifying, Probe))

    def quantize(self, calibration: Optional[Probe] = None, options: OptionsLike = None) -> Model:
        """The 8-bit model of this float model. `calibration` is a Probe.calibrate of it that was fed; it is not
        needed where the scheme is "dynamic"."""
        bag, hooks = given(options)
        probe = None if calibration is None else use(calibration, Probe)
        return self._make(lib.intmill_quantize, self._use(), probe, bag, hooks=hooks)

    def equalize(self, options: OptionsLike = None) -> Model:
        """An equal float model whose channels have weights of like size on both sides, for one scale a weight."""
        bag, hooks = given(options)
        return self._make(lib.intmill_equalize, self._use(), bag, hooks=hooks)

    def smooth(self, calibration: Probe, options: OptionsLike = None) -> Model:
        """An equal float model without outlier channels (SmoothQuant). Calibrate it anew."""
        bag, hooks = given(options)
        return self._make(lib.intmill_smooth, self._use(), use(calibration, Probe), bag, hooks=hooks)


class Probe(Handle):
    """Watches models run on your data: make one, feed it batches, read its report."""

    __slots__ = ("_inputs", "_lock")
    _release = lib.intmill_probe_release
    _inputs: List[Port]
    _lock: threading.Lock

    @classmethod
    def calibrate(cls, model: Model, options: OptionsLike = None) -> Probe:
        """Learns the ranges of a float model's activations."""
        return cls._of(lib.intmill_probe_calibrate, [model], options)

    @classmethod
    def verify(cls, reference: Model, candidate: Model, options: OptionsLike = None) -> Probe:
        """Runs two models on the same data and compares their outputs."""
        return cls._of(lib.intmill_probe_verify, [reference, candidate], options)

    @classmethod
    def certify(cls, reference: Model, candidate: Model, options: OptionsLike = None) -> Probe:
        """As verify, and layer by layer, for Model.certify."""
        return cls._of(lib.intmill_probe_certify, [reference, candidate], options)

    @classmethod
    def replay(cls, model: Model, options: OptionsLike = None) -> Probe:
        """Measures again what a model's certificate says, on the same data; its report is REPLAY."""
        return cls._of(lib.intmill_probe_replay, [model], options)

    @classmethod
    def sensitivity(cls, model: Model, calibration: Optional[Probe] = None, options: OptionsLike = None) -> Probe:
        """Ranks layers by what quantizing each alone costs. `calibration` as for Model.quantize."""
        bag, hooks = given(options)
        probe = None if calibration is None else use(calibration, Probe)
        self = cls._make(lib.intmill_probe_sensitivity, use(model, Model), probe, bag, hooks=hooks)
        self._inputs, self._lock = model.inputs, threading.Lock()
        return self

    @classmethod
    def rounding(cls, model: Model, calibration: Probe, options: OptionsLike = None) -> Probe:
        """Learns how to round weights from the data it is fed; for Model.quantize, in place of `calibration`."""
        bag, hooks = given(options)
        self = cls._make(lib.intmill_probe_rounding, use(model, Model), use(calibration, Probe), bag, hooks=hooks)
        self._inputs, self._lock = model.inputs, threading.Lock()
        return self

    @classmethod
    def load(cls, path: Any, options: OptionsLike = None) -> Probe:
        """A calibrating probe from the file that save() wrote. It cannot be fed."""
        bag, hooks = given(options)
        self = cls._make(lib.intmill_probe_load, text(path), bag, hooks=hooks)
        self._inputs, self._lock = [], threading.Lock()
        return self

    def save(self, path: Any, options: OptionsLike = None) -> None:
        """Writes what a calibrating probe saw, whole or not at all."""
        bag, hooks = given(options)
        check(lib.intmill_probe_save(self._use(), text(path), bag), hooks)

    def merge(self, other: Probe) -> None:
        """Adds what another calibrating probe of the same model saw."""
        with self._lock:
            check(lib.intmill_probe_merge(self._use(), use(other, Probe)))

    @classmethod
    def _of(cls, function: Any, models: List[Model], options: OptionsLike) -> Probe:
        bag, hooks = given(options)
        self = cls._make(function, *(use(model, Model) for model in models), bag, hooks=hooks)
        self._inputs, self._lock = models[0].inputs, threading.Lock()
        return self

    def feed(self, feeds: Any, targets: Any = None) -> None:
        """Runs one batch: a dict of values by input name, a list of them in order, or the only one. `targets`, for
        a verifying probe: the right class of each row, int32 or int64."""
        probe, inputs = self._use(), Tensors(self._inputs, feeds)
        wanted = Tensors([], [] if targets is None else [targets])
        with self._lock:
            check(lib.intmill_probe_feed(probe, inputs.array, inputs.count, wanted.array, wanted.count),
                  probe.hooks)

    def feed_all(self, batches: Iterable[Any], progress: Optional[bool] = None) -> int:
        """Feeds all that an iterable gives, or a reader with get_next() as ONNX Runtime has them; the number of
        batches. `progress` shows a bar where tqdm is installed; None: on terminals only."""
        if hasattr(batches, "get_next"):
            batches = iter(batches.get_next, None)
        if progress is not False:
            batches = _bar(batches, progress)
        count = 0
        for count, feeds in enumerate(batches, 1):
            self.feed(feeds)
        return count

    def report(self, kind: ReportKind) -> Report:
        """RANGES or HISTOGRAMS of a calibrating probe, SUMMARY or OUTPUTS of a verifying or certifying one, SUMMARY
        or SENSITIVITY of one that ranks layers, REPLAY of one that replays."""
        with self._lock:
            return Report._make(lib.intmill_probe_report, self._use(), kind)


def _bar(batches: Iterable[Any], progress: Optional[bool]) -> Iterable[Any]:
    try:
        tqdm: Any = importlib.import_module("tqdm")
    except ImportError:
        return batches
    bar: Iterable[Any] = tqdm.tqdm(batches, unit="batch", disable=False if progress else None)
    return bar
