"""Tensors, and the ways in and out: buffers, NumPy, DLPack."""

from __future__ import annotations

import ctypes
import importlib
import itertools
from typing import Any, Dict, NamedTuple, Optional, Sequence, Tuple

from . import _dlpack, _raw
from ._library import Handle, IntmillError, check, integer, invalid, lib, use
from ._options import OptionsLike, given
from ._raw import DType

numpy: Any
try:
    numpy = importlib.import_module("numpy")
except ImportError:
    numpy = None


class ElementType(NamedTuple):
    format: str  # of the buffer protocol; 16-bit floats as their bits, which memoryview can read
    numpy: str   # bfloat16, which NumPy has not, as its bits
    onnx: str


TYPES = {
    DType.F32: ElementType("f", "f4", "tensor(float)"), DType.F16: ElementType("H", "f2", "tensor(float16)"),
    DType.BF16: ElementType("H", "u2", "tensor(bfloat16)"), DType.S8: ElementType("b", "i1", "tensor(int8)"),
    DType.U8: ElementType("B", "u1", "tensor(uint8)"), DType.S32: ElementType("i", "i4", "tensor(int32)"),
    DType.S64: ElementType("q", "i8", "tensor(int64)"), DType.BOOL: ElementType("?", "b1", "tensor(bool)"),
    DType.S16: ElementType("h", "i2", "tensor(int16)"),
}
_FORMATS = {"f": DType.F32, "e": DType.F16, "b": DType.S8, "B": DType.U8, "i": DType.S32, "q": DType.S64,
            "l": DType.S64, "?": DType.BOOL, "h": DType.S16}

# Memory that the library borrows, under the number that its free function is given.
_lent: Dict[int, Any] = {}
_numbers = itertools.count(1)


def _give_back(user: int, _: int) -> None:
    _lent.pop(user, None)


give_back = _raw.FreeFn(_give_back)


def lend(owner: Any) -> int:
    """The number for give_back. A call that fails takes nothing over: then give_back() is for the caller."""
    number = next(_numbers)
    _lent[number] = owner
    return number


def _dims(shape: Sequence[int]) -> Tuple[int, Any]:
    return len(shape), (ctypes.c_int64 * len(shape))(*map(integer, shape))


class Tensor(Handle):
    """Typed n-dimensional memory. Tensor.of(x) makes one of whatever holds numbers, without a copy where that
    is possible: it then sees what is written into x."""

    __slots__ = ()
    _release = lib.intmill_tensor_release

    def __init__(self, dtype: DType, shape: Sequence[int]) -> None:
        """Zeros."""
        self._init(lib.intmill_tensor_create, dtype, *_dims(shape))

    @classmethod
    def of(cls, source: Any, dtype: Optional[DType] = None) -> Tensor:
        """A Tensor (it is answered as it is), a NumPy array or another buffer, anything with __dlpack__, or what
        NumPy makes an array of. Read-only and non-contiguous memory is copied. `dtype` tells 16-bit integers
        to be the bits of F16 or BF16, and NumPy what to make of a list."""
        if isinstance(source, Tensor):
            return source
        try:
            view = memoryview(source)
        except (TypeError, ValueError, BufferError):
            if hasattr(source, "__dlpack__"):
                return cls.from_dlpack(source)
            if numpy is None or isinstance(source, numpy.ndarray):
                raise TypeError(f"cannot make a tensor of {source!r:.80}") from None
            view = numpy.asarray(source, TYPES[dtype or DType.F32].numpy).data
        kind = _FORMATS.get(view.format.lstrip("@=<"))
        if view.format == "H" and dtype in (DType.F16, DType.BF16):
            kind = dtype
        if kind is None:
            raise invalid(f"memory of format '{view.format}' has no tensor type; float32, float16, int8, uint8, "
                          "int32, int64 and bool have")
        shared = view.c_contiguous and not view.readonly
        memory = (ctypes.c_char * view.nbytes).from_buffer(view if shared else bytearray(view))
        number = lend(memory)
        try:
            return cls._make(lib.intmill_tensor_wrap, kind, *_dims(view.shape or ()), ctypes.byref(memory),
                             view.nbytes, give_back, number)
        except IntmillError:
            give_back(number, 0)
            raise

    @classmethod
    def from_dlpack(cls, source: Any) -> Tensor:
        """Takes over the memory of anything with __dlpack__, without a copy."""
        return cls._adopt(_dlpack.take(source))

    def __dlpack__(self, *, stream: Any = None, max_version: Optional[Tuple[int, int]] = None,
                   dl_device: Any = None, copy: Optional[bool] = None) -> Any:
        if copy:
            raise BufferError("intmill shares its memory; copy the result")
        return _dlpack.give(self._use(), versioned=max_version is not None and max_version[0] >= 1)

    def __dlpack_device__(self) -> Tuple[int, int]:
        return 1, 0  # the CPU

    @property
    def dtype(self) -> DType:
        return DType(lib.intmill_tensor_dtype(self._use()))

    @property
    def shape(self) -> Tuple[int, ...]:
        tensor = self._use()
        return tuple(lib.intmill_tensor_dims(tensor)[:lib.intmill_tensor_rank(tensor)])

    @property
    def nbytes(self) -> int:
        return int(lib.intmill_tensor_bytes(self._use()))

    def memoryview(self) -> memoryview:
        """The elements, without a copy. The memory stays as long as the view, also after close()."""
        shape = self.shape
        flat = memoryview(self._memory()).cast("B").cast(TYPES[self.dtype].format)
        return flat.cast("B").cast(flat.format, shape) if shape and flat.nbytes else flat

    def numpy(self) -> Any:
        """The elements as a NumPy array, without a copy."""
        if numpy is None:
            raise ImportError("Tensor.numpy() needs NumPy; Tensor.memoryview() does not")
        return numpy.ndarray(self.shape, TYPES[self.dtype].numpy, self._memory())

    def array(self) -> Any:
        """A NumPy array where NumPy is installed, else a memoryview."""
        return self.memoryview() if numpy is None else self.numpy()

    def __array__(self, dtype: Any = None, copy: Optional[bool] = None) -> Any:
        return numpy.array(self.numpy(), dtype) if copy or dtype is not None else self.numpy()

    def _memory(self) -> Any:
        tensor = self._use()
        memory = (ctypes.c_char * lib.intmill_tensor_bytes(tensor)).from_address(
            lib.intmill_tensor_data(tensor) or 0)
        memory.tensor = tensor
        return memory

    @property
    def qparams(self) -> Optional[QParams]:
        """Scales and zero points; None for a tensor that is not quantized."""
        tensor = self._use()
        pointer = lib.intmill_tensor_qparams(tensor)  # part of the tensor, which it must not outlive
        return QParams._adopt(pointer, hooks=tensor) if pointer else None

    def quantize(self, qparams: QParams) -> Tensor:
        return self._make(lib.intmill_tensor_quantize, self._use(), use(qparams, QParams))

    def dequantize(self) -> Tensor:
        return self._make(lib.intmill_tensor_dequantize, self._use())

    def fake_quantize(self, qparams: QParams) -> Tensor:
        """Quantizes and dequantizes."""
        return self._make(lib.intmill_tensor_fake_quantize, self._use(), use(qparams, QParams))

    def compare(self, other: Any) -> Difference:
        """How far `other` is from this."""
        found = _raw.Difference(struct_size=ctypes.sizeof(_raw.Difference))
        check(lib.intmill_tensor_compare(self._use(), Tensor.of(other)._use(), ctypes.byref(found)))
        return Difference(*(getattr(found, name) for name in Difference._fields))


class Difference(NamedTuple):
    """How far one tensor is from another; see intmill_difference."""

    max_abs: float
    mean_abs: float
    mse: float
    sqnr_db: float
    cosine: float
    bytes_a: int
    bytes_b: int


class QParams(Handle):
    """Scales and zero points: q = saturate(round(x / scale) + zero_point)."""

    __slots__ = ()
    _release = lib.intmill_qparams_release

    def __init__(self, dtype: DType, scales: Sequence[float], zero_points: Optional[Sequence[int]] = None,
                 axis: int = -1) -> None:
        n = len(scales)
        if zero_points is not None and len(zero_points) != n:
            raise invalid(f"{len(zero_points)} zero points for {n} scales")
        points = None if zero_points is None else (ctypes.c_int32 * n)(*(integer(z, 32) for z in zero_points))
        self._init(lib.intmill_qparams_create, dtype, integer(axis, 32), n, (ctypes.c_float * n)(*scales), points)

    @classmethod
    def choose(cls, tensor: Any, axis: int = -1, options: OptionsLike = None) -> QParams:
        """Chooses scales and zero points for an F32 tensor."""
        return cls._make(lib.intmill_qparams_choose, Tensor.of(tensor)._use(), integer(axis, 32), given(options)[0])

    @property
    def dtype(self) -> DType:
        return DType(lib.intmill_qparams_dtype(self._use()))

    @property
    def axis(self) -> int:
        return int(lib.intmill_qparams_axis(self._use()))

    @property
    def scales(self) -> Tuple[float, ...]:
        q = self._use()
        return tuple(lib.intmill_qparams_scales(q)[:lib.intmill_qparams_count(q)])

    @property
    def zero_points(self) -> Tuple[int, ...]:
        q = self._use()
        return tuple(lib.intmill_qparams_zero_points(q)[:lib.intmill_qparams_count(q)])
