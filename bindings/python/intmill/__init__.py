"""intmill: quantize, check and run neural networks on CPUs.

    session = intmill.InferenceSession("model.im")
    scores, = session.run(None, {"image": image})

docs/python.md tells the rest."""

from __future__ import annotations

from ._library import IntmillError, check as _check, lib as _lib
from ._model import Model, Port, Probe
from ._onnxruntime import (CalibrationDataReader, CalibrationMethod, InferenceSession, QuantType,
                           SessionOptions, quantize_dynamic, quantize_static)
from ._options import Options
from ._raw import Calibration, DType, Isa, Option, ReportKind, Scheme, Side, Status
from ._report import Report
from ._session import Binding, Session
from ._tensor import Difference, QParams, Tensor

__all__ = [
    "Binding", "Calibration", "CalibrationDataReader", "CalibrationMethod", "DType", "Difference",
    "InferenceSession", "IntmillError", "Isa", "Model", "Option", "Options", "Port", "Probe", "QParams",
    "QuantType", "Report", "ReportKind", "Scheme", "Session", "SessionOptions", "Side", "Status", "Tensor",
    "build_info", "doctor", "isa_detected", "isa_limit", "quantize_dynamic", "quantize_static", "version",
]


def version() -> int:
    """Of the shared library: major * 10000 + minor * 100 + patch."""
    return int(_lib.intmill_version())


def build_info() -> str:
    """One line for a bug report."""
    return str(_lib.intmill_build_info().decode())


def doctor() -> Report:
    """What decides whether models run fast here."""
    return Report._make(_lib.intmill_doctor)


def isa_detected() -> Isa:
    """The best instruction set of this processor that the kernels know."""
    return Isa(_lib.intmill_isa_detected())


def isa_limit(highest: Isa) -> None:
    """Limits the instruction sets used by this process; before anything runs."""
    _check(_lib.intmill_isa_limit(highest))


_number = version()
__version__ = f"{_number // 10000}.{_number // 100 % 100}.{_number % 100}"
