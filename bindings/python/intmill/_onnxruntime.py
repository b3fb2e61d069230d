"""The names that users of ONNX Runtime know: InferenceSession, quantize_static, quantize_dynamic."""

from __future__ import annotations

import enum
from typing import Any, Dict, Iterable, Iterator, List, Mapping, Optional, Sequence

from ._library import invalid
from ._model import Model, Port, Probe
from ._session import Session


class SessionOptions:
    def __init__(self) -> None:
        self.intra_op_num_threads = 0
        self.enable_profiling = False


class InferenceSession:
    """A session from a model file, or from its bytes. `providers` is there for old programs: this is the CPU."""

    def __init__(self, path_or_bytes: Any, sess_options: Optional[SessionOptions] = None,
                 providers: Optional[Sequence[Any]] = None, **options: Any) -> None:
        if sess_options is not None:
            options.setdefault("threads", sess_options.intra_op_num_threads)
            options.setdefault("profile", int(sess_options.enable_profiling))
        is_data = isinstance(path_or_bytes, (bytes, bytearray, memoryview))
        with (Model.load_memory if is_data else Model.load)(path_or_bytes, options) as model:
            self.session = Session(model, options)

    def run(self, output_names: Optional[Sequence[str]], input_feed: Mapping[str, Any],
            run_options: Any = None) -> List[Any]:
        """The outputs named (None: all), as NumPy arrays where NumPy is installed, else as memoryviews."""
        names = [port.name for port in self.session.outputs]
        for name in output_names or ():
            if name not in names:
                raise invalid(f"no output '{name}', only {', '.join(names)}")
        outputs = dict(zip(names, self.session.run(input_feed)))
        return [outputs[name].array() for name in output_names or names]

    def get_inputs(self) -> List[Port]:
        return self.session.inputs

    def get_outputs(self) -> List[Port]:
        return self.session.outputs

    def get_providers(self) -> List[str]:
        return ["CPUExecutionProvider"]

    def close(self) -> None:
        self.session.close()

    def __enter__(self) -> InferenceSession:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class CalibrationDataReader:
    """Gives one feed after the other from get_next(), then None. Any iterable of feeds will do instead."""

    def get_next(self) -> Optional[Mapping[str, Any]]:
        raise NotImplementedError

    def __iter__(self) -> Iterator[Mapping[str, Any]]:
        return iter(self.get_next, None)


class QuantType(enum.Enum):
    QInt8 = "s8"
    QUInt8 = "u8"


class CalibrationMethod(enum.Enum):
    MinMax = "minmax"
    Entropy = "entropy"
    Percentile = "percentile"


def quantize_static(model_input: Any, model_output: Any, calibration_data_reader: Iterable[Any], *,
                    per_channel: Optional[bool] = None, weight_type: Optional[QuantType] = None,
                    activation_type: Optional[QuantType] = None,
                    calibrate_method: Optional[CalibrationMethod] = None,
                    nodes_to_exclude: Sequence[str] = (), progress: Optional[bool] = None,
                    **options: Any) -> None:
    """Quantizes a model file with ranges learnt from the reader's feeds, and writes .im or .onnx. `options` are
    those of Options; what is not said has intmill's default, not ONNX Runtime's."""
    chosen = _chosen(options, nodes_to_exclude, per_channel=per_channel, weight_dtype=weight_type,
                     activation_dtype=activation_type, calibration=calibrate_method)
    with Model.load(model_input, chosen) as model, Probe.calibrate(model, chosen) as probe:
        if probe.feed_all(calibration_data_reader, progress) == 0:
            raise invalid("the calibration reader gave no data")
        with model.quantize(probe, chosen) as quantized:
            quantized.save(model_output)


def quantize_dynamic(model_input: Any, model_output: Any, *, per_channel: Optional[bool] = None,
                     weight_type: Optional[QuantType] = None, nodes_to_exclude: Sequence[str] = (),
                     **options: Any) -> None:
    """Quantizes the weights of a model file; activations take their range from each input while running."""
    chosen = _chosen({"scheme": "dynamic", **options}, nodes_to_exclude, per_channel=per_channel,
                     weight_dtype=weight_type)
    with Model.load(model_input, chosen) as model, model.quantize(options=chosen) as quantized:
        quantized.save(model_output)


def _chosen(options: Mapping[str, Any], excluded: Sequence[str], **named: Any) -> Dict[str, Any]:
    chosen = dict(options)
    for key, value in named.items():
        if value is not None:
            chosen[key] = value.value if isinstance(value, enum.Enum) else int(value)
    if excluded:
        layers = {**chosen.get("layers", {}), **{name: {"skip": 1} for name in excluded}}
        chosen["layers"] = layers
    return chosen
