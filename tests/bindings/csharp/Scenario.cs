using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace Intmill.Tests;

/// <summary>Carries out ../scenario.json through the C# binding; ../README.md says what each step prints.
/// </summary>
internal sealed class Scenario
{
    private readonly Dictionary<string, object> objects = [];
    private readonly Dictionary<string, List<string>> heard = []; // by the name of the options

    internal static int Run(string path)
    {
        var scenario = new Scenario();
        int number = 0;
        var lines = new StringBuilder();
        foreach (JsonElement each in JsonDocument.Parse(File.ReadAllText(path)).RootElement.EnumerateArray())
        {
            var step = new Step(each);
            if (step.Has("do"))
            {
                lines.Append(scenario.Line(++number, step)).Append('\n');
            }
        }
        using Stream output = Console.OpenStandardOutput();
        output.Write(Encoding.UTF8.GetBytes(lines.ToString()));
        scenario.objects.Keys.ToList().ForEach(name => scenario.Release(name));
        return 0;
    }

    /// <summary>The fields of a step.</summary>
    private readonly record struct Step(JsonElement Fields)
    {
        internal bool Has(string key) => Fields.TryGetProperty(key, out _);

        internal string Text(string key) => Fields.GetProperty(key).GetString()!;

        internal int Integer(string key) => Fields.GetProperty(key).GetInt32();

        internal JsonElement[] List(string key) =>
            Has(key) ? Fields.GetProperty(key).EnumerateArray().ToArray() : [];

        internal long[] Longs(string key) => List(key).Select(each => each.GetInt64()).ToArray();

        internal T Of<T>(string key) where T : struct, Enum =>
            Enum.Parse<T>(Text(key).Replace("_", "", StringComparison.Ordinal), ignoreCase: true);
    }

    private string Line(int number, Step step)
    {
        string status = "OK", result = "", message = "";
        try
        {
            result = CarryOut(step);
        }
        catch (IntmillException e)
        {
            status = "ERROR_" + CName(e.Status);
            message = e.Message;
        }
        return $"{{\"step\": {number}, \"do\": \"{step.Text("do")}\", \"status\": \"INTMILL_{status}\", "
            + $"\"result\": {Quote(result)}, \"message\": {Quote(message)}}}";
    }

    private string CarryOut(Step step) => step.Text("do") switch
    {
        "version" => Library.Version.ToString(CultureInfo.InvariantCulture),
        "known" => Hash(Encoding.UTF8.GetBytes(Options.Known().ToJson())),
        "doctor" => FirstColumn(Library.Doctor()),
        "isa_limit" => Done(() => Library.LimitIsa((Isa)step.Integer("isa"))),
        "options" => Keep(step, MakeOptions(step)).ToJson(),
        "set" => Keep(step.Text("object"), Set(step, Use<Options>(step, "object"))).ToJson(),
        "heard" => string.Join(", ", heard[step.Text("object")]),
        "tensor" => Show(Keep(step, Filled(step))),
        "show" => Show(Use<Tensor>(step, "object")),
        "qparams" => Show(Keep(step, MakeParameters(step))),
        "choose" => Show(Keep(step,
            QParams.Choose(Use<Tensor>(step, "tensor"), step.Integer("axis"), OptionsOf(step)))),
        "quantize_tensor" => Show(Keep(step,
            Use<Tensor>(step, "tensor").Quantize(Use<QParams>(step, "qparams")))),
        "dequantize" => Show(Keep(step, Use<Tensor>(step, "tensor").Dequantize())),
        "fake_quantize" => Show(Keep(step,
            Use<Tensor>(step, "tensor").FakeQuantize(Use<QParams>(step, "qparams")))),
        "compare" => Show(Use<Tensor>(step, "a").Compare(Use<Tensor>(step, "b"))),
        "load" => Show(Keep(step, Model.Load(step.Text("path"), OptionsOf(step)))),
        "load_memory" => Show(Keep(step,
            Model.Load(Bytes(Use<Tensor>(step, "tensor")), OptionsOf(step)))),
        "save" => Save(step),
        "save_memory" => Show(Keep(step, Use<Model>(step, "model").ToTensor(OptionsOf(step)))),
        "annotate" => Done(() => Keep(step,
            Use<Model>(step, "model").Annotate(step.Text("key"), step.Text("value")))),
        "quantize" => Done(() => Keep(step, Use<Model>(step, "model").Quantize(
            step.Has("calibration") ? Use<Probe>(step, "calibration") : null, OptionsOf(step)))),
        "report" => ReportOf(step).ToJson(),
        "columns" => ReportOf(step) is var r ? $"{r.Rows} {string.Join(' ', r.Columns)}" : "",
        "cell" => Cell(ReportOf(step), step.Integer("row"), step.Text("column")),
        "calibrate" => Done(() => Keep(step, Probe.Calibrate(Use<Model>(step, "model"), OptionsOf(step)))),
        "verify" => Done(() => Keep(step, Probe.Verify(
            Use<Model>(step, "reference"), Use<Model>(step, "candidate"), OptionsOf(step)))),
        "certify" => Done(() => Keep(step, Probe.Certify(
            Use<Model>(step, "reference"), Use<Model>(step, "candidate"), OptionsOf(step)))),
        "replay" => Done(() => Keep(step, Probe.Replay(Use<Model>(step, "model"), OptionsOf(step)))),
        "sensitivity" => Done(() => Keep(step, Probe.Sensitivity(
            Use<Model>(step, "model"), Use<Probe>(step, "calibration"), OptionsOf(step)))),
        "rounding" => Done(() => Keep(step, Probe.Rounding(
            Use<Model>(step, "model"), Use<Probe>(step, "calibration"), OptionsOf(step)))),
        "save_probe" => SaveProbe(step),
        "load_probe" => Done(() => Keep(step, Probe.Load(step.Text("path"), OptionsOf(step)))),
        "merge" => Done(() => Use<Probe>(step, "probe").Merge(Use<Probe>(step, "other"))),
        "equalize" => Done(() => Keep(step, Use<Model>(step, "model").Equalize(OptionsOf(step)))),
        "smooth" => Done(() => Keep(step,
            Use<Model>(step, "model").Smooth(Use<Probe>(step, "calibration"), OptionsOf(step)))),
        "sign" => Done(() => Keep(step, Use<Model>(step, "model").Certify(Use<Probe>(step, "probe")))),
        "feed" => Done(() => Use<Probe>(step, "probe").Feed(
            Tensors(step, "inputs"), Tensors(step, "targets"))),
        "session" => Done(() => Keep(step, new Session(Use<Model>(step, "model"), OptionsOf(step)))),
        "save_session" => Done(() => Use<Session>(step, "session").Save(step.Text("path"))),
        "run" => RunSession(step),
        "binding" => Done(() => Keep(step, Use<Session>(step, "session").Bind())),
        "bind" => Done(() => Use<Binding>(step, "binding").Set(step.Of<Side>("side"), step.Integer("index"),
            step.Has("tensor") ? Use<Tensor>(step, "tensor") : null)),
        "bound" => Show(Keep(step,
            Use<Binding>(step, "binding").Get(step.Of<Side>("side"), step.Integer("index")))),
        "run_binding" => Done(Use<Binding>(step, "binding").Run),
        "release" => Done(() => Release(step.Text("object"), mustExist: true)),
        _ => throw new ArgumentException($"unknown verb {step.Text("do")}"),
    };

    private static string Done(Action action)
    {
        action();
        return "";
    }

    private Options MakeOptions(Step step)
    {
        Options options = Options.FromJson(step.Text("json"));
        if (!step.Has("listen") && !step.Has("stop_at"))
        {
            return options;
        }
        int stopAt = step.Has("stop_at") ? step.Integer("stop_at") : 0;
        int calls = 0;
        List<string> stages = heard[step.Text("as")] = [];
        return options.OnProgress(now =>
        {
            if (!stages.Contains(now.Stage))
            {
                stages.Add(now.Stage);
            }
            return ++calls != stopAt;
        });
    }

    private static Options Set(Step step, Options options)
    {
        string? layer = step.Has("layer") ? step.Text("layer") : null;
        Option key = step.Of<Option>("key");
        if (step.Has("number"))
        {
            return options.With(key, step.Fields.GetProperty("number").GetDouble(), layer);
        }
        JsonElement value = step.Fields.GetProperty("value");
        return value.ValueKind == JsonValueKind.String
            ? options.With(key, value.GetString()!, layer)
            : options.With(key, value.GetInt64(), layer);
    }

    private static Tensor Filled(Step step) => step.Of<DType>("dtype") switch
    {
        DType.F32 => Fill(step, state => (state >> 40) / 16777216f, value => value.GetSingle()),
        DType.S8 => Fill(step, state => (sbyte)(state >> 57), value => value.GetSByte()),
        DType.U8 => Fill(step, state => (byte)(state >> 57), value => value.GetByte()),
        DType.S32 => Fill(step, state => (int)(state >> 57), value => value.GetInt32()),
        DType.S64 => Fill(step, state => (long)(state >> 57), value => value.GetInt64()),
        DType other => throw new ArgumentException($"cannot fill {other}"),
    };

    private static Tensor Fill<T>(Step step, Func<ulong, T> random, Func<JsonElement, T> read)
        where T : unmanaged
    {
        Tensor t = Tensor.Zeros<T>(step.Longs("dims"));
        Span<T> elements = t.Write<T>();
        if (step.Has("seed"))
        {
            ulong state = step.Fields.GetProperty("seed").GetUInt64();
            for (int i = 0; i < elements.Length; ++i)
            {
                state = unchecked(state * 6364136223846793005 + 1442695040888963407);
                elements[i] = random(state);
            }
        }
        else
        {
            step.List("values").Select(read).ToArray().CopyTo(elements);
        }
        return t;
    }

    private static QParams MakeParameters(Step step) => new(
        step.Of<DType>("dtype"), step.Integer("axis"),
        step.List("scales").Select(each => each.GetSingle()).ToArray(),
        step.List("zero_points").Select(each => each.GetInt32()).ToArray());

    private string Save(Step step)
    {
        Use<Model>(step, "model").Save(step.Text("path"), OptionsOf(step));
        return Hash(File.ReadAllBytes(step.Text("path")));
    }

    private string SaveProbe(Step step)
    {
        Use<Probe>(step, "probe").Save(step.Text("path"), OptionsOf(step));
        return Hash(File.ReadAllBytes(step.Text("path")));
    }

    private Report ReportOf(Step step)
    {
        ReportKind kind = step.Of<ReportKind>("kind");
        return Use<object>(step, "object") switch
        {
            Model m => m.Report(kind),
            Probe p => p.Report(kind),
            object s => ((Session)s).Report(kind),
        };
    }

    private string RunSession(Step step)
    {
        Result result = Use<Session>(step, "session").Run(Tensors(step, "inputs"));
        JsonElement[] names = step.List("as");
        for (int i = 0; i < result.Count; ++i)
        {
            Keep(names[i].GetString()!, result[i]);
        }
        return string.Join(", ", result.Select(Show));
    }

    private Options? OptionsOf(Step step) => step.Has("options") ? Use<Options>(step, "options") : null;

    private Tensor[] Tensors(Step step, string key) =>
        step.List(key).Select(name => (Tensor)objects[name.GetString()!]).ToArray();

    private T Use<T>(Step step, string key) => (T)objects[step.Text(key)];

    private T Keep<T>(Step step, T made) where T : class => Keep(step.Text("as"), made);

    private T Keep<T>(string name, T made) where T : class
    {
        Release(name);
        objects[name] = made;
        return made;
    }

    private void Release(string name, bool mustExist = false)
    {
        if (!objects.Remove(name, out object? released) && mustExist)
        {
            throw new ArgumentException($"no object {name}");
        }
        (released as IDisposable)?.Dispose();
    }

    private static byte[] Bytes(Tensor t) => t.DType switch
    {
        DType.F32 => MemoryMarshal.AsBytes(t.Read<float>()).ToArray(),
        DType.S8 => MemoryMarshal.AsBytes(t.Read<sbyte>()).ToArray(),
        DType.U8 => t.ToArray<byte>(),
        DType.S32 => MemoryMarshal.AsBytes(t.Read<int>()).ToArray(),
        DType.S64 => MemoryMarshal.AsBytes(t.Read<long>()).ToArray(),
        DType other => throw new ArgumentException($"cannot read {other}"),
    };

    private static string Show(Tensor t) => $"{Lower(t.DType)} {Dims(t.Shape)} {Hash(Bytes(t))}";

    private static string Show(Model m) => $"{Ports(m.Inputs)} -> {Ports(m.Outputs)}";

    private static string Ports(IEnumerable<Port> ports) => string.Join(", ",
        ports.Select(port => $"{port.Name} {Lower(port.DType)} {Dims(port.Shape)}"));

    private static string Show(QParams q) => $"{Lower(q.DType)} {q.Axis} {q.Scales.Length} "
        + $"{Hash(MemoryMarshal.AsBytes(q.Scales))} {Hash(MemoryMarshal.AsBytes(q.ZeroPoints))}";

    private static string Show(Difference d) => string.Join(' ',
        Bits(d.MaxAbs), Bits(d.MeanAbs), Bits(d.Mse), Bits(d.SqnrDb), Bits(d.Cosine), d.BytesA, d.BytesB);

    private static string Cell(Report report, int row, string column) =>
        $"{report.Text(row, column)} {Bits(report.Number(row, column))}";

    private static string FirstColumn(Report report) => string.Join(' ',
        Enumerable.Range(0, report.Rows).Select(row => report.Text(row, report.Columns[0])));

    private static string Dims(IReadOnlyList<long>? shape) => shape switch
    {
        null => "*",
        { Count: 0 } => "-",
        _ => string.Join('x', shape.Select(n => n < 0 ? "?" : n.ToString(CultureInfo.InvariantCulture))),
    };

    private static string Lower(DType dtype) => dtype.ToString().ToLowerInvariant();

    /// <summary>InvalidArgument: INVALID_ARGUMENT.</summary>
    private static string CName(Status status) => status == Status.IO
        ? "IO"
        : string.Concat(status.ToString().Select((c, i) => i > 0 && char.IsUpper(c) ? $"_{c}" : $"{c}"))
            .ToUpperInvariant();

    private static string Bits(double number) => double.IsNaN(number)
        ? "nan"
        : BitConverter.DoubleToInt64Bits(number).ToString("x16", CultureInfo.InvariantCulture);

    /// <summary>FNV-1a.</summary>
    private static string Hash(ReadOnlySpan<byte> bytes)
    {
        ulong hash = 0xcbf29ce484222325;
        foreach (byte each in bytes)
        {
            hash = unchecked((hash ^ each) * 0x100000001b3);
        }
        return hash.ToString("x16", CultureInfo.InvariantCulture);
    }

    private static string Quote(string text)
    {
        var quoted = new StringBuilder("\"");
        foreach (char c in text)
        {
            _ = c is '"' or '\\' ? quoted.Append('\\').Append(c)
                : c < ' ' ? quoted.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}")
                : quoted.Append(c);
        }
        return quoted.Append('"').ToString();
    }
}
