#!/usr/bin/env python3
"""Tensors, their memory and their ways in and out; options and their hooks."""

import array
import gc
import unittest

from support import BindingTest, data, load, needs_numpy, numpy
from intmill import DType, IntmillError, Option, Options, QParams, Status, Tensor, _dlpack

try:
    import torch
except ImportError:
    torch = None


def floats(*values):
    return array.array("f", values)


class Memory(BindingTest):
    def test_a_tensor_begins_as_zeros_of_every_type(self):
        for dtype in set(DType) - {DType.S4, DType.U4}:
            tensor = Tensor(dtype, [2, 3])
            self.assertEqual((tensor.dtype, tensor.shape), (dtype, (2, 3)))
            self.assertEqual(data(tensor), bytes(tensor.nbytes))

    def test_types_of_half_a_byte_are_refused(self):
        for dtype in (DType.S4, DType.U4):
            with self.assertRaisesRegex(IntmillError, f"element type {dtype.name.lower()} is for weights"):
                Tensor(dtype, [2, 3])

    def test_a_buffer_is_shared_both_ways(self):
        numbers = floats(1, 2, 3)
        tensor = Tensor.of(numbers)
        numbers[0] = 9
        self.assertEqual(tensor.memoryview().tolist(), [9, 2, 3])
        tensor.memoryview()[1] = 8
        self.assertEqual(numbers[1], 8)

    def test_read_only_memory_is_copied(self):
        numbers = bytes([1, 2, 3])
        tensor = Tensor.of(numbers)
        tensor.memoryview()[0] = 9
        self.assertEqual(numbers, bytes([1, 2, 3]))
        self.assertEqual(data(tensor), bytes([9, 2, 3]))

    def test_memory_with_strides_is_copied_densely(self):
        tensor = Tensor.of(memoryview(bytearray(range(6)))[::2])
        self.assertEqual(data(tensor), bytes([0, 2, 4]))

    def test_a_shape_comes_with_the_buffer(self):
        tensor = Tensor.of(memoryview(bytearray(24)).cast("f", (2, 3)))
        self.assertEqual((tensor.dtype, tensor.shape), (DType.F32, (2, 3)))

    def test_sixteen_bits_are_floats_when_said_so(self):
        bits = array.array("H", [0x3F80, 0x4000])
        self.assertEqual(Tensor.of(bits, DType.BF16).dtype, DType.BF16)
        self.assertEqual(Tensor.of(bits, DType.F16).memoryview().tolist(), bits.tolist())
        self.refuses(Status.INVALID_ARGUMENT, "format 'H' has no tensor type", Tensor.of, bits)

    def test_other_types_are_refused_not_converted(self):
        self.refuses(Status.INVALID_ARGUMENT, "format 'd'", Tensor.of, array.array("d", [1]))
        with self.assertRaises(TypeError):
            Tensor.of(object())

    def test_lent_memory_stays_as_long_as_the_tensor(self):
        tensor = Tensor.of(memoryview(bytearray(b"abc")))
        gc.collect()
        self.assertEqual(data(tensor), b"abc")

    def test_a_view_stays_good_after_close(self):
        tensor = Tensor.of(floats(1, 2))
        view = tensor.memoryview()
        tensor.close()
        gc.collect()
        self.assertEqual(view.tolist(), [1, 2])

    def test_memory_comes_back_when_the_last_user_goes(self):
        memory = bytearray(4)
        tensor = Tensor.of(memory)
        with self.assertRaises(BufferError):
            memory.extend(b"more")  # it is lent
        tensor.close()
        memory.extend(b"more")

    def test_empty_and_scalar_tensors(self):
        empty, scalar = Tensor(DType.F32, [0, 3]), Tensor(DType.S64, [])
        self.assertEqual((empty.shape, empty.memoryview().nbytes), ((0, 3), 0))
        self.assertEqual((scalar.shape, scalar.memoryview().tolist()), ((), [0]))
        self.assertEqual(Tensor.of(bytearray()).shape, (0,))

    def test_sizes_that_do_not_fit_are_refused(self):
        self.refuses(Status.INVALID_ARGUMENT, "64 bits", Tensor, DType.F32, [2**64])
        self.refuses(Status.INVALID_ARGUMENT, "", Tensor, DType.F32, [-1])
        self.refuses(Status.INVALID_ARGUMENT, "", Tensor, DType.F32, [2**40, 2**40])

    def test_a_closed_tensor_answers_with_an_error(self):
        tensor = Tensor(DType.F32, [1])
        tensor.close()
        tensor.close()
        self.assertTrue(tensor.closed)
        for use in (tensor.memoryview, tensor.dequantize, lambda: tensor.shape, lambda: tensor.dtype,
                    lambda: tensor.__dlpack__(), lambda: Tensor.of(floats(1)).compare(tensor)):
            self.is_closed(use)


@needs_numpy
class NumPy(BindingTest):
    def test_arrays_are_shared_both_ways(self):
        values = numpy.arange(6, dtype="f4").reshape(2, 3)
        tensor = Tensor.of(values)
        values[0, 0] = 9
        self.assertEqual(tensor.numpy()[0, 0], 9)
        tensor.numpy()[1, 2] = 7
        self.assertEqual(values[1, 2], 7)

    def test_every_type_goes_there_and_back(self):
        for name in ("float32", "float16", "int8", "uint8", "int32", "int64", "bool"):
            values = numpy.array([[0, 1], [1, 0]], name)
            back = Tensor.of(values).numpy()
            self.assertEqual(back.dtype, values.dtype)
            self.assertTrue((back == values).all())

    def test_arrays_outlive_their_tensor(self):
        values = Tensor.of(numpy.arange(1000, dtype="f4")).numpy()
        gc.collect()
        self.assertEqual(values[-1], 999)

    def test_slices_and_read_only_arrays_are_copied(self):
        values = numpy.arange(6, dtype="f4")
        self.assertEqual(Tensor.of(values[::2]).numpy().tolist(), [0, 2, 4])
        values.flags.writeable = False
        Tensor.of(values).numpy()[0] = 9
        self.assertEqual(values[0], 0)
        self.assertEqual(Tensor.of(values.reshape(2, 3).T).numpy().tolist(), [[0, 3], [1, 4], [2, 5]])

    def test_scalars_lists_and_empty_arrays(self):
        self.assertEqual(Tensor.of(numpy.float32(2.5)).shape, ())
        self.assertEqual(Tensor.of([[1, 2], [3, 4]]).numpy().tolist(), [[1, 2], [3, 4]])
        self.assertEqual(Tensor.of([1, 2], DType.S64).dtype, DType.S64)
        empty = Tensor.of(numpy.zeros((0, 3), "f4")).numpy()
        self.assertEqual(empty.shape, (0, 3))

    def test_double_precision_is_refused(self):
        self.refuses(Status.INVALID_ARGUMENT, "format 'd'", Tensor.of, numpy.zeros(3))

    def test_asarray_takes_a_tensor(self):
        tensor = Tensor.of(numpy.arange(3, dtype="f4"))
        self.assertEqual(numpy.asarray(tensor).tolist(), [0, 1, 2])
        self.assertEqual(numpy.asarray(tensor, "i4").dtype, numpy.int32)

    def test_dlpack_there_shares_memory(self):
        tensor = Tensor.of(numpy.arange(6, dtype="f4").reshape(2, 3))
        values = numpy.from_dlpack(tensor)
        tensor.numpy()[0, 0] = 9
        self.assertEqual(values[0, 0], 9)
        tensor.close()
        gc.collect()
        self.assertEqual(values[1, 2], 5)

    def test_dlpack_back_shares_memory(self):
        values = numpy.arange(6, dtype="f4")
        tensor = Tensor.from_dlpack(values)
        values[0] = 9
        del values
        gc.collect()
        self.assertEqual(tensor.numpy().tolist(), [9, 1, 2, 3, 4, 5])


class DLPack(BindingTest):
    def test_goes_around_in_both_versions(self):
        tensor = Tensor.of(floats(1, 2))
        plain = type("Plain", (), {"__dlpack__": lambda self: tensor.__dlpack__()})()
        for source in (tensor, plain):
            other = Tensor.from_dlpack(source)
            tensor.memoryview()[0] += 1
            self.assertEqual(other.memoryview()[0], tensor.memoryview()[0])
        self.assertIn("dltensor_versioned", repr(tensor.__dlpack__(max_version=(1, 0))))
        self.assertEqual(tensor.__dlpack_device__(), (1, 0))

    def test_an_unused_capsule_goes_at_the_next_export(self):
        memory = bytearray(4)
        tensor = Tensor.of(memory)
        tensor.__dlpack__()
        tensor.close()
        Tensor(DType.F32, [1]).__dlpack__()
        memory.extend(b"more")  # nothing holds it any more
        self.assertLessEqual(len(_dlpack._given), 1)

    def test_a_capsule_that_somebody_holds_stays(self):
        tensor = Tensor.of(floats(1, 2))
        held = tensor.__dlpack__()
        for _ in range(3):
            tensor.__dlpack__()
        taken = Tensor.from_dlpack(type("Late", (), {"__dlpack__": lambda self: held})())
        self.assertEqual(taken.memoryview().tolist(), [1, 2])

    def test_what_is_no_capsule_is_refused(self):
        with self.assertRaises(TypeError):
            Tensor.from_dlpack(type("Liar", (), {"__dlpack__": lambda self: 1})())

    @unittest.skipIf(torch is None, "torch is not installed")
    def test_torch_shares_memory_both_ways(self):
        values = torch.arange(4, dtype=torch.float32)
        tensor = Tensor.of(values)
        back = torch.from_dlpack(tensor)
        values[0] = 9
        self.assertEqual((tensor.memoryview()[0], float(back[0])), (9, 9))


class Quantizing(BindingTest):
    def test_one_tensor_goes_to_8_bits_and_back(self):
        x = Tensor.of(floats(-1, 0, 0.5, 1))
        q = QParams.choose(x, options={"activation_dtype": "s8", "act_symmetric": 1, "calibration": "minmax"})
        small = x.quantize(q)
        self.assertEqual(small.dtype, DType.S8)
        self.assertEqual(small.qparams.scales, q.scales)
        difference = x.compare(small.dequantize())
        self.assertLessEqual(difference.max_abs, q.scales[0] / 2 + 1e-7)
        self.assertEqual(data(x.fake_quantize(q)), data(small.dequantize()))
        self.assertIsNone(x.qparams)

    def test_parameters_of_a_tensor_outlive_it(self):
        x = Tensor.of(floats(1, 2))
        q = x.quantize(QParams(DType.U8, [0.5], [3])).qparams
        gc.collect()
        self.assertEqual((q.dtype, q.axis, q.scales, q.zero_points), (DType.U8, -1, (0.5,), (3,)))

    def test_zero_points_are_as_many_as_scales(self):
        self.refuses(Status.INVALID_ARGUMENT, "1 zero points for 2 scales", QParams, DType.U8, [1, 2], [0], 0)


class Settings(BindingTest):
    def test_are_keywords_and_json(self):
        options = Options(threads=2, calibration="entropy", profile=True, layers={"conv*": {"skip": 1}})
        again = Options.from_json(options.json)
        self.assertEqual(again.json, options.json)
        self.assertIn('"profile": 1', options.json)

    def test_are_set_by_key_or_name(self):
        options = Options().set(Option.THREADS, 3).set("percentile", 99.5).set("skip", 1, layer="fc*")
        self.assertEqual(Options.from_json(options.json).json, options.json)
        self.assertIn('"threads": 3', options.json)

    def test_a_refused_value_changes_nothing(self):
        options = Options(threads=1)
        self.refuses(Status.INVALID_ARGUMENT, "threads", options.set, "threads", -1)
        self.refuses(Status.INVALID_ARGUMENT, "'colour' is not known", options.set, "colour", 1)
        self.refuses(Status.INVALID_ARGUMENT, "64 bits", options.set, "threads", 2**64)
        self.assertEqual(options.json, '{"threads": 1}')

    def test_unknown_names_are_refused(self):
        self.refuses(Status.INVALID_ARGUMENT, "'colour' is not known", Options, colour=1)
        self.refuses(Status.BAD_FORMAT, "line 1 column", Options.from_json, "{")

    def test_a_zero_character_does_not_cut_a_string(self):
        self.refuses(Status.INVALID_ARGUMENT, "zero character", Options().set, "format", "onnx\0")

    def test_all_keys_are_known(self):
        names = {row["name"].upper() for row in Options.known()}
        self.assertEqual(names, set(Option.__members__))


class Hooks(BindingTest):
    def test_progress_is_heard_and_may_stop(self):
        heard = []
        load(Options(threads=1, progress=lambda *now: heard.append(now)))
        self.assertTrue(heard)
        stage, done, total = heard[0]
        self.assertIsInstance(stage, str)
        self.refuses(Status.CANCELLED, "stopped", load, Options(progress=lambda *now: False))

    def test_what_a_hook_raises_comes_out(self):
        def interrupt(*now):
            raise KeyboardInterrupt

        options = Options(progress=interrupt)
        with self.assertRaises(KeyboardInterrupt):
            load(options)
        with self.assertRaises(KeyboardInterrupt):
            load(options)

    def test_hooks_survive_their_options(self):
        model = load(Options(threads=1, progress=lambda *now: None, log=lambda *line: None))
        gc.collect()
        self.assertEqual(model.inputs[0].name, "image")

    def test_the_log_tells_which_layers_stay_in_float(self):
        lines = []
        options = Options(scheme="dynamic", layers={"*": {"skip": 1}}, log=lambda *line: lines.append(line))
        load().quantize(options=options)
        self.assertIn(2, {level for level, _ in lines})
        self.assertIn("stays in float", lines[0][1])

    def test_set_keeps_the_hooks(self):
        heard = []
        load(Options(progress=lambda *now: heard.append(now)).set("threads", 1))
        self.assertTrue(heard)


if __name__ == "__main__":
    unittest.main()
