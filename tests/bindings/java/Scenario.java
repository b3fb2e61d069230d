import io.github.intmill.Binding;
import io.github.intmill.DType;
import io.github.intmill.Difference;
import io.github.intmill.Intmill;
import io.github.intmill.IntmillException;
import io.github.intmill.Isa;
import io.github.intmill.Model;
import io.github.intmill.Option;
import io.github.intmill.Options;
import io.github.intmill.Port;
import io.github.intmill.Probe;
import io.github.intmill.QParams;
import io.github.intmill.Report;
import io.github.intmill.ReportKind;
import io.github.intmill.Result;
import io.github.intmill.Session;
import io.github.intmill.Side;
import io.github.intmill.Tensor;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/** Carries out ../scenario.json through the binding; ../README.md says what a step prints. */
final class Scenario {
  private final Map<String, Object> objects = new HashMap<>();
  private final Map<String, Set<String>> heard = new HashMap<>(); // by the name of the options

  public static void main(String[] args) throws IOException {
    PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
    Scenario scenario = new Scenario();
    int number = 0;
    for (Object each : (List<?>) Json.parse(Files.readString(Path.of(args[0])))) {
      Step step = new Step((Map<?, ?>) each);
      if (step.has("do")) {
        out.println(scenario.line(++number, step));
      }
    }
    out.flush();
    scenario.objects.keySet().stream().toList().forEach(scenario::release);
  }

  /** The fields of a step. */
  private record Step(Map<?, ?> fields) {
    boolean has(String key) {
      return fields.containsKey(key);
    }

    Object get(String key) {
      if (!has(key)) {
        throw new IllegalArgumentException("no " + key + " in " + fields);
      }
      return fields.get(key);
    }

    String text(String key) {
      return (String) get(key);
    }

    int integer(String key) {
      return ((Number) get(key)).intValue();
    }

    List<?> list(String key) {
      return has(key) ? (List<?>) get(key) : List.of();
    }

    long[] longs(String key) {
      return list(key).stream().mapToLong(n -> ((Number) n).longValue()).toArray();
    }

    <E extends Enum<E>> E of(Class<E> type, String key) {
      return Enum.valueOf(type, text(key).toUpperCase(Locale.ROOT));
    }
  }

  private String line(int number, Step step) {
    String status = "OK";
    String result = "";
    String message = "";
    try {
      result = carryOut(step);
    } catch (IntmillException e) {
      status = "ERROR_" + e.status();
      message = e.getMessage();
    }
    return String.format(
        "{\"step\": %d, \"do\": \"%s\", \"status\": \"INTMILL_%s\", ",
            number, step.text("do"), status)
        + String.format(
            "\"result\": %s, \"message\": %s}", Json.quote(result), Json.quote(message));
  }

  private String carryOut(Step step) {
    return switch (step.text("do")) {
      case "version", "known", "doctor", "isa_limit", "options", "set", "heard" -> setting(step);
      case "tensor", "show", "qparams", "choose", "quantize_tensor", "dequantize", "fake_quantize",
          "compare" -> tensor(step);
      case "load", "load_memory", "save", "save_memory", "annotate", "quantize" -> model(step);
      case "equalize", "smooth", "sign" -> changed(step);
      case "report", "columns", "cell" -> report(step);
      case "calibrate", "sensitivity", "rounding", "verify", "certify", "replay", "load_probe" -> {
        keep(step, made(step));
        yield "";
      }
      case "save_probe", "merge", "feed" -> probe(step);
      case "session", "save_session", "run", "binding", "bind", "bound", "run_binding" -> run(step);
      case "release" -> {
        if (objects.get(step.text("object")) == null) {
          throw new IllegalArgumentException("no object " + step.text("object"));
        }
        yield release(step.text("object"));
      }
      default -> throw new IllegalArgumentException("unknown verb " + step.text("do"));
    };
  }

  private String setting(Step step) {
    switch (step.text("do")) {
      case "version":
        return "" + Intmill.version();
      case "known":
        return hash(Options.known().toJson().getBytes(StandardCharsets.UTF_8));
      case "doctor":
        Report facts = Intmill.doctor();
        String first = facts.columns().get(0);
        return IntStream.range(0, facts.rows())
            .mapToObj(row -> facts.text(row, first))
            .collect(Collectors.joining(" "));
      case "isa_limit":
        int isa = step.integer("isa");
        Intmill.isaLimit(
            Arrays.stream(Isa.values()).filter(each -> each.value() == isa).findFirst().get());
        return "";
      case "heard":
        return String.join(", ", heard.get(step.text("object")));
      case "options":
        Options options = Options.fromJson(step.text("json"));
        boolean listens = step.has("listen") || step.has("stop_at");
        return keep(step, listens ? listening(step, options) : options).toJson();
      default: // set
        Options changed = set(step, use(Options.class, step, "object"));
        objects.put(step.text("object"), changed);
        return changed.toJson();
    }
  }

  private Options listening(Step step, Options options) {
    int stopAt = step.has("stop_at") ? step.integer("stop_at") : 0;
    Set<String> stages = new LinkedHashSet<>();
    heard.put(step.text("as"), stages);
    int[] calls = {0};
    return options.onProgress(
        now -> {
          stages.add(now.stage());
          return ++calls[0] != stopAt;
        });
  }

  private static Options set(Step step, Options options) {
    String layer = step.has("layer") ? step.text("layer") : null;
    Object value =
        step.has("number") ? ((Number) step.get("number")).doubleValue() : step.get("value");
    return options.with(layer, step.of(Option.class, "key"), value);
  }

  private String tensor(Step step) {
    return switch (step.text("do")) {
      case "tensor" -> show(keep(step, filled(step)));
      case "show" -> show(use(Tensor.class, step, "object"));
      case "qparams" -> show(keep(step, params(step)));
      case "choose" -> {
        Tensor x = use(Tensor.class, step, "tensor");
        yield show(keep(step, QParams.choose(x, step.integer("axis"), options(step))));
      }
      case "quantize_tensor" -> {
        QParams params = use(QParams.class, step, "qparams");
        yield show(keep(step, use(Tensor.class, step, "tensor").quantize(params)));
      }
      case "dequantize" -> show(keep(step, use(Tensor.class, step, "tensor").dequantize()));
      case "fake_quantize" -> {
        QParams params = use(QParams.class, step, "qparams");
        yield show(keep(step, use(Tensor.class, step, "tensor").fakeQuantize(params)));
      }
      default -> {
        Difference d = use(Tensor.class, step, "a").compare(use(Tensor.class, step, "b"));
        yield String.join(
            " ",
            bits(d.maxAbs()), bits(d.meanAbs()), bits(d.mse()), bits(d.sqnrDb()), bits(d.cosine()),
            "" + d.bytesA(), "" + d.bytesB());
      }
    };
  }

  private static Tensor filled(Step step) {
    DType dtype = step.of(DType.class, "dtype");
    Tensor t = Tensor.zeros(dtype, step.longs("dims"));
    ByteBuffer data = t.data();
    if (step.has("seed")) {
      long state = ((Number) step.get("seed")).longValue();
      while (data.hasRemaining()) {
        state = state * 6364136223846793005L + 1442695040888963407L;
        put(data, dtype, dtype == DType.F32 ? (state >>> 40) / 16777216.0 : state >>> 57);
      }
    } else {
      step.list("values").forEach(value -> put(data, dtype, (Number) value));
    }
    return t;
  }

  private static void put(ByteBuffer data, DType dtype, Number value) {
    switch (dtype) {
      case F32 -> data.putFloat(value.floatValue());
      case S8, U8 -> data.put(value.byteValue());
      case S32 -> data.putInt(value.intValue());
      case S64 -> data.putLong(value.longValue());
      default -> throw new IllegalArgumentException("cannot fill " + dtype);
    }
  }

  private static QParams params(Step step) {
    List<?> numbers = step.list("scales");
    float[] scales = new float[numbers.size()];
    for (int i = 0; i < scales.length; ++i) {
      scales[i] = ((Number) numbers.get(i)).floatValue();
    }
    int[] zeroPoints = new int[scales.length];
    if (step.has("zero_points")) {
      zeroPoints = LongStream.of(step.longs("zero_points")).mapToInt(n -> (int) n).toArray();
    }
    return QParams.of(step.of(DType.class, "dtype"), step.integer("axis"), scales, zeroPoints);
  }

  private String model(Step step) {
    switch (step.text("do")) {
      case "load":
        return show(keep(step, Model.load(Path.of(step.text("path")), options(step))));
      case "load_memory":
        ByteBuffer file = use(Tensor.class, step, "tensor").data();
        return show(keep(step, Model.load(file, options(step))));
      case "save":
        use(Model.class, step, "model").save(Path.of(step.text("path")), options(step));
        return hashOfFile(step);
      case "save_memory":
        return show(keep(step, use(Model.class, step, "model").toTensor(options(step))));
      case "annotate":
        Model plain = use(Model.class, step, "model");
        keep(step, plain.annotate(step.text("key"), step.text("value")));
        return "";
      default: // quantize
        boolean calibrated = step.has("calibration");
        Probe calibration = calibrated ? use(Probe.class, step, "calibration") : null;
        keep(step, use(Model.class, step, "model").quantize(calibration, options(step)));
        return "";
    }
  }

  private String changed(Step step) {
    Model model = use(Model.class, step, "model");
    keep(
        step,
        switch (step.text("do")) {
          case "equalize" -> model.equalize(options(step));
          case "smooth" -> model.smooth(use(Probe.class, step, "calibration"), options(step));
          default -> model.certify(use(Probe.class, step, "probe")); // sign
        });
    return "";
  }

  private static String hashOfFile(Step step) {
    try {
      return hash(Files.readAllBytes(Path.of(step.text("path"))));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private Probe made(Step step) {
    Options options = options(step);
    Model model = step.has("model") ? use(Model.class, step, "model") : null;
    return switch (step.text("do")) {
      case "calibrate" -> Probe.calibrate(model, options);
      case "sensitivity" ->
          Probe.sensitivity(model, use(Probe.class, step, "calibration"), options);
      case "rounding" -> Probe.rounding(model, use(Probe.class, step, "calibration"), options);
      case "replay" -> Probe.replay(model, options);
      case "load_probe" -> Probe.load(Path.of(step.text("path")), options);
      default -> {
        Model reference = use(Model.class, step, "reference");
        Model candidate = use(Model.class, step, "candidate");
        yield step.text("do").equals("verify")
            ? Probe.verify(reference, candidate, options)
            : Probe.certify(reference, candidate, options);
      }
    };
  }

  private String report(Step step) {
    Object object = use(Object.class, step, "object");
    ReportKind kind = step.of(ReportKind.class, "kind");
    Report report =
        object instanceof Model m
            ? m.report(kind)
            : object instanceof Probe p ? p.report(kind) : ((Session) object).report(kind);
    return switch (step.text("do")) {
      case "report" -> report.toJson();
      case "columns" -> report.rows() + " " + String.join(" ", report.columns());
      default -> {
        int row = step.integer("row");
        String column = step.text("column");
        yield report.text(row, column) + " " + bits(report.number(row, column));
      }
    };
  }

  private String probe(Step step) {
    switch (step.text("do")) {
      case "save_probe":
        use(Probe.class, step, "probe").save(Path.of(step.text("path")), options(step));
        return hashOfFile(step);
      case "merge":
        use(Probe.class, step, "probe").merge(use(Probe.class, step, "other"));
        return "";
      default: // feed
        use(Probe.class, step, "probe").feed(tensors(step, "inputs"), tensors(step, "targets"));
        return "";
    }
  }

  private String run(Step step) {
    switch (step.text("do")) {
      case "session":
        keep(step, new Session(use(Model.class, step, "model"), options(step)));
        return "";
      case "save_session":
        use(Session.class, step, "session").save(Path.of(step.text("path")));
        return "";
      case "run":
        Result result = use(Session.class, step, "session").run(tensors(step, "inputs"));
        for (int i = 0; i < result.size(); ++i) {
          keep((String) step.list("as").get(i), result.get(i));
        }
        return IntStream.range(0, result.size())
            .mapToObj(i -> show(result.get(i)))
            .collect(Collectors.joining(", "));
      case "binding":
        keep(step, use(Session.class, step, "session").bind());
        return "";
      case "bind":
        Tensor t = step.has("tensor") ? use(Tensor.class, step, "tensor") : null;
        Side side = step.of(Side.class, "side");
        use(Binding.class, step, "binding").set(side, step.integer("index"), t);
        return "";
      case "bound":
        Binding b = use(Binding.class, step, "binding");
        return show(keep(step, b.get(step.of(Side.class, "side"), step.integer("index"))));
      default: // run_binding
        use(Binding.class, step, "binding").run();
        return "";
    }
  }

  private Options options(Step step) {
    return step.has("options") ? use(Options.class, step, "options") : Options.NONE;
  }

  private Tensor[] tensors(Step step, String key) {
    return step.list(key).stream()
        .map(name -> use(Tensor.class, (String) name))
        .toArray(Tensor[]::new);
  }

  private <T> T use(Class<T> type, Step step, String key) {
    return use(type, step.text(key));
  }

  private <T> T use(Class<T> type, String name) {
    if (!objects.containsKey(name)) {
      throw new IllegalArgumentException("no object " + name);
    }
    return type.cast(objects.get(name));
  }

  private <T> T keep(Step step, T object) {
    return keep(step.text("as"), object);
  }

  private <T> T keep(String name, T object) {
    release(name);
    objects.put(name, object);
    return object;
  }

  private String release(String name) {
    if (objects.remove(name) instanceof io.github.intmill.NativeObject object) {
      object.close();
    }
    return "";
  }

  private static String show(Tensor t) {
    ByteBuffer data = t.data();
    byte[] bytes = new byte[data.remaining()];
    data.get(bytes);
    List<Long> shape = LongStream.of(t.shape()).boxed().toList();
    return lower(t.dtype()) + " " + dims(shape) + " " + hash(bytes);
  }

  private static String show(Model m) {
    return ports(m.inputs()) + " -> " + ports(m.outputs());
  }

  private static String ports(List<Port> ports) {
    return ports.stream()
        .map(port -> port.name() + " " + lower(port.dtype()) + " " + dims(port.shape()))
        .collect(Collectors.joining(", "));
  }

  private static String show(QParams q) {
    int n = q.scales().length;
    ByteBuffer scales = ByteBuffer.allocate(n * 4).order(ByteOrder.LITTLE_ENDIAN);
    scales.asFloatBuffer().put(q.scales());
    ByteBuffer zeroPoints = ByteBuffer.allocate(n * 4).order(ByteOrder.LITTLE_ENDIAN);
    zeroPoints.asIntBuffer().put(q.zeroPoints());
    return lower(q.dtype()) + " " + q.axis() + " " + n + " " + hash(scales.array()) + " "
        + hash(zeroPoints.array());
  }

  private static String dims(List<Long> shape) {
    if (shape == null) {
      return "*";
    }
    return shape.isEmpty()
        ? "-"
        : shape.stream().map(n -> n < 0 ? "?" : "" + n).collect(Collectors.joining("x"));
  }

  private static String lower(DType dtype) {
    return dtype.name().toLowerCase(Locale.ROOT);
  }

  private static String bits(double number) {
    long bits = Double.doubleToRawLongBits(number);
    return Double.isNaN(number) ? "nan" : String.format("%016x", bits);
  }

  /** FNV-1a. */
  private static String hash(byte[] bytes) {
    long hash = 0xcbf29ce484222325L;
    for (byte each : bytes) {
      hash = (hash ^ (each & 0xff)) * 0x100000001b3L;
    }
    return String.format("%016x", hash);
  }
}
