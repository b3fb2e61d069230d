#!/usr/bin/env python3
"""Models, probes, sessions and bindings; the names of ONNX Runtime; lifetimes and threads."""

import concurrent.futures
import copy
import ctypes
import gc
import importlib.util
import os
import pathlib
import pickle
import subprocess
import sys
import tempfile
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import overhead  # noqa: E402
from support import MODEL, ONE, SANITIZED, BindingTest, classes, data, images, load, needs_numpy, numpy, quantized
import intmill
from intmill import Binding, DType, Model, Options, Probe, ReportKind, Session, Side, Status, Tensor
from intmill import _library


class InFolder(BindingTest):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="intmill-python-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)


class Models(InFolder):
    def test_say_what_goes_in_and_out(self):
        model = load()
        port, = model.inputs
        self.assertEqual((port.name, port.dtype, port.shape, port.type),
                         ("image", DType.F32, (None, 1, 28, 28), "tensor(float)"))
        self.assertEqual(model.outputs[0].shape, (None, 10))
        self.assertEqual([row["op"] for row in model.report()][0], "Conv")
        self.assertEqual(model.metadata["source.file"], "fashion_cnn.onnx")

    def test_errors_have_status_and_message(self):
        self.refuses(Status.IO, "nothing.onnx: cannot be opened", Model.load, self.folder / "nothing.onnx")
        self.refuses(Status.BAD_FORMAT, "ONNX or intmill model wanted", Model.load_memory, b"nonsense")
        self.refuses(Status.INVALID_ARGUMENT, "zero character", Model.load, "a\0b")
        self.assertRaises(TypeError, Model.load, 3)
        self.assertRaises(TypeError, Model)
        self.assertRaises(TypeError, Session, load().report())

    def test_errors_come_out_of_other_processes(self):
        error = pickle.loads(pickle.dumps(intmill.IntmillError(Status.SHAPE, "too long")))
        self.assertEqual((error.status, str(error)), (Status.SHAPE, "too long"))

    def test_are_saved_and_loaded_in_both_formats(self):
        model = quantized().annotate("owner", "Zoë")
        for name, head in (("m.im", None), ("m.onnx", b"\x08")):
            path = self.folder / name
            model.save(path)
            self.assertEqual(Model.load(path).outputs, model.outputs)
            if head:
                self.assertTrue(path.read_bytes().startswith(head))
        again = Model.load(str(self.folder / "m.im"))
        self.assertEqual(again.metadata["owner"], "Zoë")

    def test_are_loaded_from_memory_that_may_go(self):
        file = quantized().save_memory()
        x, wanted = images(), None
        for memory in (file, bytes(file.memoryview()), bytearray(file.memoryview())):
            model = Model.load_memory(memory)
            del memory
            gc.collect()
            found = data(Session(model, ONE).run(x)[0])
            wanted = wanted or found
            self.assertEqual(found, wanted)

    def test_saving_can_be_cancelled_with_nothing_written(self):
        path = self.folder / "m.im"
        self.refuses(Status.CANCELLED, "save", load().save, path, Options(progress=lambda *now: False))
        self.assertEqual(list(self.folder.iterdir()), [])


class Probes(InFolder):
    def test_static_quantization_keeps_the_answers(self):
        model, small = load(), quantized()
        probe = Probe.verify(model, small, ONE)
        for first in range(0, 64, 16):
            probe.feed({"image": images(first)}, classes(first))
        summary = probe.report(ReportKind.SUMMARY).values()
        self.assertEqual(summary["samples"], 64)
        self.assertGreaterEqual(summary["agreement"], 95)
        self.assertGreaterEqual(summary["candidate_top1"], 80)
        outputs, = probe.report(ReportKind.OUTPUTS)
        self.assertGreater(outputs["sqnr_db"], 20)

    def test_certificates_are_kept_and_replayed(self):
        model, small = load(), quantized()
        probe = Probe.certify(model, small, ONE)
        probe.feed(images())
        certified = small.certify(probe)
        facts = {(row["fact"], row["name"]): row["value"] for row in certified.report(ReportKind.CERTIFICATE)}
        self.assertGreater(facts["output_sqnr_db", "logits"], 20)
        replay = Probe.replay(certified, ONE)
        replay.feed(images())
        self.assertTrue(all(row["holds"] for row in replay.report(ReportKind.REPLAY)))

    def test_infinity_in_a_report_is_infinity(self):
        model = load()
        probe = Probe.verify(model, model, ONE)
        probe.feed(images())
        self.assertEqual(list(probe.report(ReportKind.OUTPUTS))[0]["sqnr_db"], float("inf"))

    def test_any_iterable_and_any_reader_feed(self):
        class Reader:
            left = 2

            def get_next(self):
                self.left -= 1
                return {"image": images()} if self.left >= 0 else None

        probe = Probe.calibrate(load(), ONE)
        self.assertEqual(probe.feed_all(Reader(), progress=False), 2)
        self.assertEqual(probe.feed_all(images(i) for i in range(3)), 3)
        self.assertEqual(probe.feed_all([]), 0)
        self.assertEqual(list(probe.report(ReportKind.RANGES))[0]["samples"], 80)

    def test_many_threads_feed_one_calibration(self):
        model, x = load(), images()
        alone, together = Probe.calibrate(model, ONE), Probe.calibrate(model, ONE)
        for _ in range(8):
            alone.feed(x)
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            list(pool.map(together.feed, [x] * 8))
        self.assertEqual(alone.report(ReportKind.RANGES).json, together.report(ReportKind.RANGES).json)

    def test_calibrations_are_saved_loaded_and_merged(self):
        model = load()
        whole, first, second = (Probe.calibrate(model, ONE) for _ in range(3))
        whole.feed_all([images(0), images(16)])
        first.feed(images(0))
        second.feed(images(16))
        path = self.folder / "first.imstat"
        first.save(path)
        loaded = Probe.load(path)
        self.refuses(Status.STATE, "file", loaded.feed, {})
        second.merge(loaded)
        self.assertEqual(second.report(ReportKind.RANGES).json, whole.report(ReportKind.RANGES).json)

    def test_layers_are_ranked(self):
        model = load()
        calibration = Probe.calibrate(model, ONE)
        calibration.feed(images())
        probe = Probe.sensitivity(model, calibration, ONE)
        probe.feed({"image": images()}, classes())
        rows = list(probe.report(ReportKind.SENSITIVITY))
        self.assertGreaterEqual(len(rows), 4)
        self.assertEqual(rows, sorted(rows, key=lambda row: row["sqnr_db"]))

    def test_targets_are_of_the_right_probe(self):
        probe = Probe.calibrate(load(), ONE)
        self.refuses(Status.INVALID_ARGUMENT, "targets", probe.feed, images(), classes())
        self.refuses(Status.STATE, "fed", probe.report, ReportKind.RANGES)


class Running(BindingTest):
    def test_values_come_by_name_in_order_or_alone(self):
        session, x = Session(load(), ONE), images()
        wanted = data(session.run(x)[0])
        for feeds in ({"image": x}, [x], (x,)):
            self.assertEqual(data(session.run(feeds)[0]), wanted)

    def test_names_must_be_those_of_the_inputs(self):
        session, x = Session(load(), ONE), images()
        self.refuses(Status.INVALID_ARGUMENT, "the inputs are image; found picture", session.run, {"picture": x})
        self.refuses(Status.INVALID_ARGUMENT, "found none", session.run, {})
        self.refuses(Status.INVALID_ARGUMENT, "found 2 inputs", session.run, [x, x])
        self.refuses(Status.SHAPE, "found s32, wanted f32", session.run, classes())

    def test_bound_buffers_are_used_in_place(self):
        session, x = Session(load(), ONE), images()
        wanted = data(session.run(x)[0])
        binding, y = Binding(session), Tensor(DType.F32, [16, 10])
        binding.set_input("image", x)
        binding.set_output("logits", y)
        binding.run()
        self.assertEqual(data(y), wanted)
        binding.set_output(0, None)
        binding.run()
        self.assertEqual(data(binding.output()), wanted)
        flat = x.memoryview().cast("B").cast("f")
        flat[0] += 1
        binding.run()
        self.assertNotEqual(data(binding.output()), wanted)

    def test_outputs_cannot_be_bound_to_what_cannot_be_written(self):
        binding = Binding(Session(load(), ONE))
        for value in (bytes(640), memoryview(bytes(640)).cast("f", (16, 10)), [0.0]):
            self.refuses(Status.INVALID_ARGUMENT, "can be written", binding.set_output, 0, value)
        self.refuses(Status.INVALID_ARGUMENT, "no output 'scores', only logits", binding.set_output, "scores", None)
        self.refuses(Status.INVALID_ARGUMENT, "input 1", binding.set, Side.INPUT, 1, images())

    def test_profile_and_memory_are_reports(self):
        session = Session(load(), {"threads": 1, "profile": 1})
        session.run(images())
        self.assertIn("microseconds", session.report(ReportKind.PROFILE).columns)
        self.assertGreater(sum(row["bytes"] for row in session.report(ReportKind.MEMORY)), 0)
        self.refuses(Status.INVALID_ARGUMENT, "no column", session.report().text, 0, "colour")

    def test_eight_threads_on_one_session_get_the_same_bits(self):
        session, x = Session(quantized(), ONE), images()
        wanted = data(session.run(x)[0])
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            for found in pool.map(lambda _: data(session.run(x)[0]), range(64)):
                self.assertEqual(found, wanted)

    def test_threads_that_share_a_binding_wait_for_each_other(self):
        binding = Binding(Session(load(), ONE))
        binding.set_input(0, images())
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda _: binding.run(), range(64)))

    def test_calls_let_other_threads_run(self):
        self.assertIs(type(_library.lib), ctypes.CDLL)  # PyDLL would hold the interpreter's lock

    def test_a_forked_child_runs_too(self):
        session, x = Session(load(), ONE), images()
        wanted = data(session.run(x)[0])
        child = os.fork()
        if child == 0:
            os._exit(0 if data(session.run(x)[0]) == wanted else 1)
        self.assertEqual(os.waitpid(child, 0)[1], 0)


class Lifetimes(BindingTest):
    def test_objects_close_in_any_order(self):
        model = load()
        session = Session(model, ONE)
        binding = Binding(session)
        x = images()
        binding.set_input(0, x)
        for thing in (model, session, x):
            thing.close()
        binding.run()
        y = binding.output()
        binding.close()
        self.assertEqual(y.shape, (16, 10))

    def test_what_is_closed_says_so(self):
        model, x = load(), images()
        probe, session = Probe.calibrate(model, ONE), Session(model, ONE)
        binding, report, options = Binding(session), model.report(), Options()
        with model, probe, session, binding, report, options:
            pass
        for use in (lambda: model.inputs, model.report, lambda: model.save("x.im"), model.save_memory,
                    model.quantize, lambda: Session(model), lambda: Probe.calibrate(model),
                    lambda: probe.feed(x), lambda: probe.report(ReportKind.RANGES), lambda: session.run(x),
                    session.report, lambda: Binding(session), binding.run, lambda: binding.set_input(0, x),
                    binding.output, lambda: len(report), lambda: report.json, lambda: list(report),
                    lambda: options.json, lambda: options.set("threads", 1), lambda: load(options)):
            self.is_closed(use)

    def test_closing_while_others_run_is_no_crash(self):
        model, x = load(), images(count=4)
        for _ in range(3 if SANITIZED else 20):
            session, started = Session(model, ONE), threading.Event()

            def work():
                try:
                    while True:
                        session.run(x)
                        started.set()
                except intmill.IntmillError as error:
                    return error.status

            with concurrent.futures.ThreadPoolExecutor(2) as pool:
                jobs = [pool.submit(work) for _ in range(2)]
                started.wait()
                session.close()
                self.assertEqual([job.result() for job in jobs], [Status.STATE] * 2)

    def test_a_copy_shares_and_a_pickle_is_refused(self):
        model = load()
        other = copy.copy(model)
        model.close()
        self.assertEqual(other.inputs[0].name, "image")
        self.assertRaises(TypeError, pickle.dumps, other)
        self.assertRaises(TypeError, copy.deepcopy, other)

    def test_nothing_is_left_behind(self):
        file = bytearray(overhead.one_relu())

        def cycle():
            options = Options(threads=1, progress=lambda *now: None)
            with Model.load_memory(file, options) as model, Session(model, options) as session:
                x, binding = Tensor(DType.F32, [1]), Binding(session)
                binding.set_input(0, x)
                binding.run()
                Tensor.from_dlpack(binding.output())
                session.run(x)
                model.report()

        def run(cycles):
            for _ in range(cycles):
                cycle()
            gc.collect()
            with open("/proc/self/statm", encoding="ascii") as file:
                return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE"), len(os.listdir("/proc/self/fd"))

        cycles = 20 if SANITIZED else 1000
        run(cycles)
        before, after = run(1), run(2 * cycles)
        if not SANITIZED:
            self.assertLess(after[0] - before[0], 2 << 20)
        self.assertEqual(after[1], before[1])


class OnnxRuntimeNames(InFolder):
    def feeds(self):
        return ({"image": images(first)} for first in range(0, 64, 16))

    def test_static_quantization_of_files(self):
        for name in ("m.im", "m.onnx"):
            path = str(self.folder / name)
            intmill.quantize_static(str(MODEL), path, self.feeds(), progress=False, threads=1)
            with intmill.InferenceSession(path, threads=1) as session:
                self.assertEqual(session.get_inputs()[0].name, "image")
                self.assertEqual(session.get_inputs()[0].type, "tensor(float)")
                scores, = session.run(None, {"image": images()})
                self.assertEqual(memoryview(scores).shape, (16, 10))
        self.assertEqual(Model.load(self.folder / "m.im").metadata["intmill.samples"], "64")

    def test_what_onnx_runtime_calls_settings(self):
        class Reader(intmill.CalibrationDataReader):
            def __init__(self, feeds):
                self.feeds = iter(feeds)

            def get_next(self):
                return next(self.feeds, None)

        path = self.folder / "m.im"
        layers = [row["name"] for row in load().report() if row["op"] == "Conv"]
        intmill.quantize_static(MODEL, path, Reader(self.feeds()), per_channel=True, threads=1,
                                weight_type=intmill.QuantType.QInt8, activation_type=intmill.QuantType.QUInt8,
                                calibrate_method=intmill.CalibrationMethod.MinMax, nodes_to_exclude=layers[:1])
        model = Model.load(path)
        self.assertEqual(model.metadata["intmill.calibration"], "minmax")
        schemes = {row["name"]: row["scheme"] for row in model.report()}
        self.assertEqual(schemes[layers[0]], "float")
        self.assertEqual(schemes[layers[1]], "static")

    def test_dynamic_quantization_of_files(self):
        path = self.folder / "m.im"
        intmill.quantize_dynamic(MODEL, path)
        self.assertEqual(Model.load(path).metadata["intmill.scheme"], "dynamic")

    def test_a_reader_without_data_is_an_error_and_writes_nothing(self):
        self.refuses(Status.INVALID_ARGUMENT, "no data", intmill.quantize_static, MODEL, self.folder / "m.im", [])
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_sessions_of_bytes_and_with_options(self):
        options = intmill.SessionOptions()
        options.intra_op_num_threads = 1
        session = intmill.InferenceSession(MODEL.read_bytes(), options, providers=["CPUExecutionProvider"])
        self.assertEqual(len(session.run(["logits"], {"image": images()})), 1)
        self.refuses(Status.INVALID_ARGUMENT, "no output 'scores'", session.run, ["scores"], {"image": images()})
        session.close()
        self.is_closed(session.run, None, {"image": images()})

    @needs_numpy
    def test_arrays_go_in_and_come_out(self):
        session = intmill.InferenceSession(MODEL, threads=1)
        x = numpy.ascontiguousarray(images().numpy())
        y, = session.run(None, {"image": x})
        self.assertIsInstance(y, numpy.ndarray)
        session.close()
        del session
        gc.collect()
        right = (y.argmax(1) == classes().numpy()).sum()
        self.assertGreaterEqual(right, 12)


class Loading(unittest.TestCase):
    def import_with(self, library):
        done = subprocess.run([sys.executable, "-c", "import intmill"], capture_output=True, text=True,
                              env={**os.environ, "INTMILL_LIBRARY": library})
        self.assertEqual(done.returncode, 1)
        return done.stderr.splitlines()[-1]

    def test_a_library_that_is_not_there_is_named(self):
        self.assertIn("ImportError: intmill: the shared library cannot be loaded: /no/such.so",
                      self.import_with("/no/such.so"))

    def test_another_library_is_refused(self):
        self.assertIn("ImportError: intmill: libm.so.6 is older than this package", self.import_with("libm.so.6"))

    @unittest.skipIf(SANITIZED, "other packages are not built for it")
    def test_gets_along_with_other_packages_in_either_order(self):
        run = f"intmill.InferenceSession({str(MODEL)!r}, threads=2).run(None, {{'image': x}})"
        run = f"x = intmill.Tensor(intmill.DType.F32, [1, 1, 28, 28]); {run}"
        for other in ("onnx", "onnxruntime", "torch"):
            if importlib.util.find_spec(other) is None:
                continue
            for imports in (f"import {other}, intmill", f"import intmill, {other}"):
                with self.subTest(imports):
                    subprocess.run([sys.executable, "-c", f"{imports}; {run}"], check=True)

    def test_the_library_says_its_version(self):
        self.assertGreaterEqual(intmill.version(), 100)
        self.assertIn(intmill.__version__, intmill.build_info())
        self.assertIn("isa_effective", intmill.doctor().values())
        self.assertIn(intmill.isa_detected(), intmill.Isa)
        with self.assertRaises(intmill.IntmillError):
            intmill.isa_limit(7)


if __name__ == "__main__":
    unittest.main()
