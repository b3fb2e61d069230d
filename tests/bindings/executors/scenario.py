#!/usr/bin/env python3
"""Carries out a scenario through the Python binding; tests/bindings/README.md has the verbs."""

import array
import json
import struct
import sys

import intmill
from intmill import Binding, DType, IntmillError, Model, Option, Options, Probe, QParams, ReportKind, Session
from intmill import Side, Tensor

MASK = 2**64 - 1


def quoted(text):
    escaped = (f"\\u{ord(c):04x}" if c < " " else f"\\{c}" if c in '"\\' else c for c in text)
    return f'"{"".join(escaped)}"'


def fnv(data):
    value = 0xCBF29CE484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001B3 & MASK
    return f"{value:016x}"


def bits(number):
    return "nan" if number != number else struct.pack(">d", number).hex()


def dims(sizes):
    if sizes is None:
        return "*"
    return "x".join("?" if size is None else str(size) for size in sizes) or "-"


def show_tensor(tensor):
    data = tensor.memoryview()
    return f"{tensor.dtype.name.lower()} {dims(tensor.shape)} {fnv(data.tobytes())}"


def show_model(model):
    sides = [", ".join(f"{p.name} {p.dtype.name.lower()} {dims(p.shape)}" for p in ports)
             for ports in (model.inputs, model.outputs)]
    return " -> ".join(sides)


def show_qparams(q):
    hashes = fnv(array.array("f", q.scales).tobytes()), fnv(array.array("i", q.zero_points).tobytes())
    return f"{q.dtype.name.lower()} {q.axis} {len(q.scales)} {' '.join(hashes)}"


def fill(tensor, step):
    data = tensor.memoryview()
    data = data if data.ndim == 1 else data.cast("B").cast(data.format)
    for i, value in enumerate(step.get("values", ())):
        data[i] = value
    if "seed" in step:
        state = step["seed"]
        for i in range(len(data)):
            state = (state * 6364136223846793005 + 1442695040888963407) & MASK
            data[i] = (state >> 40) / 16777216 if tensor.dtype == DType.F32 else state >> 57
    return tensor


class Executor:
    def __init__(self):
        self.objects = {}
        self.stages = {}  # of options that listen, by name

    def of(self, step, key="object"):
        return self.objects[step[key]] if key in step else None

    def options(self, step):
        return self.of(step, "options")

    def keep(self, step, thing):
        old, self.objects[step["as"]] = self.objects.get(step["as"]), thing
        if old is not None:
            old.close()
        return thing

    def do_version(self, step):
        return str(intmill.version())

    def do_known(self, step):
        return fnv(Options.known().json.encode())

    def do_doctor(self, step):
        return " ".join(row["key"] for row in intmill.doctor())

    def do_isa_limit(self, step):
        intmill.isa_limit(step["isa"])

    def do_options(self, step):
        stages, calls = [], [0]

        def progress(stage, done, total):
            calls[0] += 1
            stages.append(stage)
            return calls[0] != step.get("stop_at")

        hook = progress if "listen" in step or "stop_at" in step else None
        made = self.keep(step, Options.from_json(step["json"], progress=hook))
        self.stages[step["as"]] = stages
        return made.json

    def do_set(self, step):
        value = float(step["number"]) if "number" in step else step["value"]
        return self.of(step).set(Option[step["key"]], value, step.get("layer")).json

    def do_heard(self, step):
        return ", ".join(dict.fromkeys(self.stages[step["object"]]))

    def do_tensor(self, step):
        return show_tensor(self.keep(step, fill(Tensor(DType[step["dtype"].upper()], step["dims"]), step)))

    def do_show(self, step):
        return show_tensor(self.of(step))

    def do_load(self, step):
        return show_model(self.keep(step, Model.load(step["path"], self.options(step))))

    def do_load_memory(self, step):
        model = Model.load_memory(self.of(step, "tensor"), self.options(step))
        return show_model(self.keep(step, model))

    def do_save(self, step):
        self.of(step, "model").save(step["path"], self.options(step))
        with open(step["path"], "rb") as file:
            return fnv(file.read())

    def do_save_memory(self, step):
        return show_tensor(self.keep(step, self.of(step, "model").save_memory(self.options(step))))

    def do_annotate(self, step):
        self.keep(step, self.of(step, "model").annotate(step["key"], step["value"]))

    def report(self, step):
        return self.of(step).report(ReportKind[step["kind"]])

    def do_report(self, step):
        return self.report(step).json

    def do_columns(self, step):
        report = self.report(step)
        return " ".join([str(len(report)), *report.columns])

    def do_cell(self, step):
        report, place = self.report(step), (step["row"], step["column"])
        return f"{report.text(*place)} {bits(report.number(*place))}"

    def do_calibrate(self, step):
        self.keep(step, Probe.calibrate(self.of(step, "model"), self.options(step)))

    def do_verify(self, step):
        models = self.of(step, "reference"), self.of(step, "candidate")
        self.keep(step, Probe.verify(*models, self.options(step)))

    def do_certify(self, step):
        models = self.of(step, "reference"), self.of(step, "candidate")
        self.keep(step, Probe.certify(*models, self.options(step)))

    def do_replay(self, step):
        self.keep(step, Probe.replay(self.of(step, "model"), self.options(step)))

    def do_sensitivity(self, step):
        model, calibration = self.of(step, "model"), self.of(step, "calibration")
        self.keep(step, Probe.sensitivity(model, calibration, self.options(step)))

    def do_rounding(self, step):
        model, calibration = self.of(step, "model"), self.of(step, "calibration")
        self.keep(step, Probe.rounding(model, calibration, self.options(step)))

    def do_save_probe(self, step):
        self.of(step, "probe").save(step["path"], self.options(step))
        with open(step["path"], "rb") as file:
            return fnv(file.read())

    def do_load_probe(self, step):
        self.keep(step, Probe.load(step["path"], self.options(step)))

    def do_merge(self, step):
        self.of(step, "probe").merge(self.of(step, "other"))

    def tensors(self, names):
        return [self.objects[name] for name in names]

    def do_feed(self, step):
        targets = self.tensors(step["targets"])[0] if "targets" in step else None
        self.of(step, "probe").feed(self.tensors(step["inputs"]), targets)

    def do_quantize(self, step):
        model, calibration = self.of(step, "model"), self.of(step, "calibration")
        self.keep(step, model.quantize(calibration, self.options(step)))

    def do_equalize(self, step):
        self.keep(step, self.of(step, "model").equalize(self.options(step)))

    def do_smooth(self, step):
        self.keep(step, self.of(step, "model").smooth(self.of(step, "calibration"), self.options(step)))

    def do_sign(self, step):
        self.keep(step, self.of(step, "model").certify(self.of(step, "probe")))

    def do_session(self, step):
        self.keep(step, Session(self.of(step, "model"), self.options(step)))

    def do_save_session(self, step):
        self.of(step, "session").save(step["path"])

    def do_run(self, step):
        outputs = self.of(step, "session").run(self.tensors(step["inputs"]))
        for name, output in zip(step["as"], outputs):
            self.keep({"as": name}, output)
        return ", ".join(map(show_tensor, outputs))

    def do_binding(self, step):
        self.keep(step, Binding(self.of(step, "session")))

    def do_bind(self, step):
        side = Side[step["side"].upper()]
        self.of(step, "binding").set(side, step["index"], self.of(step, "tensor"))

    def do_bound(self, step):
        side = Side[step["side"].upper()]
        return show_tensor(self.keep(step, self.of(step, "binding").get(side, step["index"])))

    def do_run_binding(self, step):
        self.of(step, "binding").run()

    def do_qparams(self, step):
        q = QParams(DType[step["dtype"].upper()], step["scales"], step.get("zero_points"), step["axis"])
        return show_qparams(self.keep(step, q))

    def do_choose(self, step):
        q = QParams.choose(self.of(step, "tensor"), step["axis"], self.options(step))
        return show_qparams(self.keep(step, q))

    def do_quantize_tensor(self, step):
        return show_tensor(self.keep(step, self.of(step, "tensor").quantize(self.of(step, "qparams"))))

    def do_dequantize(self, step):
        return show_tensor(self.keep(step, self.of(step, "tensor").dequantize()))

    def do_fake_quantize(self, step):
        return show_tensor(self.keep(step, self.of(step, "tensor").fake_quantize(self.of(step, "qparams"))))

    def do_compare(self, step):
        found = self.of(step, "a").compare(self.of(step, "b"))
        return " ".join([*map(bits, found[:5]), str(found.bytes_a), str(found.bytes_b)])

    def do_release(self, step):
        self.objects.pop(step["object"]).close()


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        steps = [step for step in json.load(file) if "do" in step]
    executor = Executor()
    for number, step in enumerate(steps, 1):
        status, result, message = "OK", "", ""
        try:
            result = getattr(executor, f"do_{step['do']}")(step) or ""
        except IntmillError as error:
            status, message = f"ERROR_{error.status.name}", str(error)
        print(f'{{"step": {number}, "do": {quoted(step["do"])}, "status": "INTMILL_{status}", '
              f'"result": {quoted(result)}, "message": {quoted(message)}}}')
    for thing in executor.objects.values():
        thing.close()


if __name__ == "__main__":
    try:
        main()
    except (KeyError, AttributeError) as problem:
        print(f"{sys.argv[1]}: no such verb, field or object: {problem!r}", file=sys.stderr)
        sys.exit(2)
