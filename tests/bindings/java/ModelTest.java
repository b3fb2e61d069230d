package io.github.intmill;

import static io.github.intmill.Fixtures.ONE_THREAD;
import static io.github.intmill.Fixtures.refused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ModelTest {
  @TempDir Path folder;

  @Test
  void goesTheWholeWay() {
    Path file = folder.resolve("fashion.im");
    try (Model fp32 = Fixtures.sample();
        Tensor x = Fixtures.images(8);
        Tensor labels = Tensor.of(new int[8], 8);
        Probe ranges = Probe.calibrate(fp32, Options.NONE)) {
      ranges.feed(x);
      assertTrue(ranges.report(ReportKind.RANGES).rows() > 3);
      try (Model int8 = fp32.quantize(ranges, Options.NONE);
          Probe check = Probe.verify(fp32, int8, ONE_THREAD)) {
        check.feed(new Tensor[] {x}, new Tensor[] {labels});
        Report summary = check.report(ReportKind.SUMMARY);
        assertEquals(8, summary.number(summary.find("samples"), "value"));
        assertTrue(check.report(ReportKind.OUTPUTS).number(0, "cosine") > 0.98);
        int8.save(file);
      }
      try (Model loaded = Model.load(file);
          Session session = new Session(loaded, ONE_THREAD);
          Result result = session.run(x)) {
        assertArrayEquals(new long[] {8, 10}, result.get(0).shape());
      }
    }
  }

  @Test
  void describesItsPortsAndLayers() {
    try (Model model = Fixtures.sample()) {
      Port input = model.inputs().get(0);
      assertEquals(DType.F32, input.dtype());
      assertEquals(List.of(-1L, 1L, 28L, 28L), input.shape());
      assertEquals(1, model.outputs().size());
      Report layers = model.report(ReportKind.LAYERS);
      assertTrue(layers.columns().contains("scheme"));
      assertTrue(layers.toJson().startsWith("[{\"name\""));
      assertThrows(IllegalArgumentException.class, () -> layers.text(0, "no such column"));
      assertTrue(Double.isNaN(layers.number(0, "name")));
      refused(Status.INVALID_ARGUMENT, "kind", () -> model.report(ReportKind.PROFILE));
    }
  }

  @Test
  void saysWhatIsWrongWithAFile() {
    refused(Status.IO, "no such", () -> Model.load(folder.resolve("no such.onnx")));
    Path errors = Fixtures.REPOSITORY.resolve("tests/golden/errors");
    refused(Status.BAD_FORMAT, "empty.onnx", () -> Model.load(errors.resolve("empty.onnx")));
    refused(Status.BAD_VERSION, "14", () -> Model.load(errors.resolve("ir_version_14.onnx")));
    refused(Status.SHAPE, "conv", () -> Model.load(errors.resolve("conv_channels.onnx")));
    refused(
        Status.INVALID_ARGUMENT,
        "none",
        () -> Model.load(Fixtures.SAMPLE, Options.NONE.with(Option.DYNAMIC_DIMS, "none=4")));
  }

  @Test
  void takesNamesAndFactsOfAnyLanguage() {
    Path file = Path.of(folder + "/größe-☃-🚀.im");
    try (Model model = Fixtures.sample();
        Model signed = model.annotate("author", "Zoë 🚀")) {
      signed.save(file);
      try (Model loaded = Model.load(file)) {
        Report facts = loaded.report(ReportKind.METADATA);
        assertEquals("Zoë 🚀", facts.text(facts.find("author"), "value"));
      }
      refused(Status.INVALID_ARGUMENT, "zero", () -> model.annotate("author", "a\0b"));
    }
  }

  @Test
  void savesAndLoadsMemory() throws IOException {
    Path file = folder.resolve("m.im");
    try (Model model = Fixtures.sample();
        Tensor bytes = model.toTensor(Options.NONE)) {
      model.save(file);
      byte[] saved = Files.readAllBytes(file);
      assertEquals(ByteBuffer.wrap(saved), bytes.data());
      for (ByteBuffer source : List.of(bytes.data(), ByteBuffer.wrap(saved))) {
        try (Model loaded = Model.load(source, Options.NONE)) {
          assertEquals(model.inputs(), loaded.inputs());
        }
        assertEquals(0, source.position());
      }
      refused(
          Status.BAD_FORMAT, "", () -> Model.load(ByteBuffer.allocateDirect(100), Options.NONE));
    }
  }

  @Test
  void quantizesTheSameFromManyThreads() {
    try (Model fp32 = Fixtures.sample()) {
      byte[] alone = calibrated(fp32, false);
      assertArrayEquals(alone, calibrated(fp32, true));
    }
  }

  @Test
  void savesLoadsAndMergesCalibrations() {
    Path file = folder.resolve("half.imstat");
    try (Model fp32 = Fixtures.sample();
        Tensor x = Fixtures.images(4);
        Tensor y = Fixtures.images(5);
        Probe whole = Probe.calibrate(fp32, Options.NONE);
        Probe first = Probe.calibrate(fp32, Options.NONE);
        Probe second = Probe.calibrate(fp32, Options.NONE)) {
      whole.feed(x);
      whole.feed(y);
      first.feed(x);
      second.feed(y);
      first.save(file, Options.NONE);
      try (Probe loaded = Probe.load(file, Options.NONE)) {
        second.merge(loaded);
      }
      assertEquals(
          whole.report(ReportKind.RANGES).toJson(), second.report(ReportKind.RANGES).toJson());
    }
  }

  private static byte[] calibrated(Model fp32, boolean parallel) {
    try (Probe ranges = Probe.calibrate(fp32, Options.NONE)) {
      IntStream batches = IntStream.range(1, 9);
      (parallel ? batches.parallel() : batches)
          .forEach(
              n -> {
                try (Tensor x = Fixtures.images(n)) {
                  ranges.feed(x);
                }
              });
      try (Model int8 = fp32.quantize(ranges, Options.NONE);
          Tensor file = int8.toTensor(Options.NONE)) {
        byte[] bytes = new byte[(int) file.bytes()];
        file.data().get(bytes);
        return bytes;
      }
    }
  }

  @Test
  void calibratesFromAnIteratorThatFillsOneTensor() {
    try (Model fp32 = Fixtures.sample();
        Tensor x = Tensor.zeros(DType.F32, 1, 1, 28, 28)) {
      Tensor[] batch = {x};
      Iterable<Tensor[]> batches =
          () ->
              new Iterator<>() {
                private int n = 0;

                @Override
                public boolean hasNext() {
                  return n < 5;
                }

                @Override
                public Tensor[] next() {
                  x.floats().put(0, n++);
                  return batch;
                }
              };
      try (Probe ranges = Probe.calibrate(fp32, Options.NONE, batches)) {
        assertEquals(5, ranges.report(ReportKind.RANGES).number(0, "samples"));
        assertEquals(4, ranges.report(ReportKind.RANGES).number(0, "max"));
      }
    }
  }

  @Test
  void saysWhatIsWrongWithQuantizing() {
    try (Model fp32 = Fixtures.sample();
        Model int8 = Fixtures.quantized(fp32);
        Probe unfed = Probe.calibrate(fp32, Options.NONE);
        Tensor x = Fixtures.images(1)) {
      refused(Status.STATE, "no data", () -> fp32.quantize(unfed, Options.NONE));
      refused(Status.INVALID_ARGUMENT, "calibration", () -> fp32.quantize(null, Options.NONE));
      refused(Status.STATE, "quantized", () -> Probe.calibrate(int8, Options.NONE));
      refused(
          Status.INVALID_ARGUMENT,
          "targets",
          () -> unfed.feed(new Tensor[] {x}, new Tensor[] {x}));
      refused(Status.INVALID_ARGUMENT, "inputs", () -> unfed.feed(x, x));
    }
  }

  @Test
  void leavesOutLayersThatOptionsName() {
    Options dynamic = Options.NONE.with(Option.SCHEME, Scheme.DYNAMIC.value());
    try (Model fp32 = Fixtures.sample();
        Model all = fp32.quantize(null, dynamic);
        Model none = fp32.quantize(null, dynamic.with("*", Option.SKIP, 1))) {
      assertNotEquals(schemes(all), schemes(none));
      assertTrue(schemes(all).contains("dynamic"));
    }
  }

  private static List<String> schemes(Model model) {
    Report layers = model.report(ReportKind.LAYERS);
    return IntStream.range(0, layers.rows()).mapToObj(r -> layers.text(r, "scheme")).toList();
  }

  @Test
  void knowsItsOptions() {
    Options options =
        Options.fromJson("{\"threads\": 2}")
            .with(Option.PERCENTILE, 99.5)
            .with("fc?", Option.SKIP, 1);
    assertEquals(Options.fromJson(options.toJson()).toJson(), options.toJson());
    assertTrue(options.toJson().contains("99.5"));
    assertEquals("{}", Options.NONE.toJson());
    refused(Status.BAD_FORMAT, "column", () -> Options.fromJson("{"));
    refused(Status.INVALID_ARGUMENT, "", () -> Options.NONE.with(Option.THREADS, "many"));
    Report known = Options.known();
    List<String> names =
        IntStream.range(0, known.rows()).mapToObj(r -> known.text(r, "name")).toList();
    List<String> here =
        Arrays.stream(Option.values()).map(o -> o.name().toLowerCase(Locale.ROOT)).toList();
    assertEquals(here, names);
  }

  @Test
  void tellsOfItselfAndTheMachine() {
    assertTrue(Intmill.version() >= 100);
    assertTrue(Intmill.buildInfo().contains("oneDNN"));
    Report doctor = Intmill.doctor();
    String detected = doctor.text(doctor.find("isa_detected"), "value");
    assertTrue(Intmill.isaDetected() != null && !detected.isEmpty());
    assertEquals(-1, doctor.find("no such key"));
  }
}
