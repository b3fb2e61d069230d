using Xunit;
using static Intmill.Tests.Fixtures;

namespace Intmill.Tests;

public sealed class ModelTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("intmill").FullName;
    private readonly Model fp32 = Model.Load(Sample);

    public void Dispose()
    {
        fp32.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public void GoesTheWholeWay()
    {
        string file = Path.Combine(folder, "fashion.im");
        using Tensor x = Images(8);
        using Tensor labels = Tensor.Zeros<int>(8);
        using Probe ranges = Probe.Calibrate(fp32);
        ranges.Feed(x);
        Assert.True(ranges.Report(ReportKind.Ranges).Rows > 3);
        using Model int8 = fp32.Quantize(ranges);
        using Probe check = Probe.Verify(fp32, int8, OneThread);
        check.Feed([x], [labels]);
        Report summary = check.Report(ReportKind.Summary);
        Assert.Equal(8, summary.Number(summary.Find("samples"), "value"));
        Assert.True(check.Report(ReportKind.Outputs).Number(0, "cosine") > 0.98);
        int8.Save(file);
        using Model loaded = Model.Load(file);
        using var session = new Session(loaded, OneThread);
        using Result result = session.Run(x);
        Assert.Equal([8, 10], result[0].Shape);
    }

    [Fact]
    public void DescribesItsPortsAndLayers()
    {
        Port input = fp32.Inputs[0];
        Assert.Equal(DType.F32, input.DType);
        Assert.Equal([-1, 1, 28, 28], input.Shape);
        Assert.Single(fp32.Outputs);
        Report layers = fp32.Report(ReportKind.Layers);
        Assert.Contains("scheme", layers.Columns);
        Assert.StartsWith("[{\"name\"", layers.ToJson(), StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => layers.Text(0, "no such column"));
        Assert.True(double.IsNaN(layers.Number(0, "name")));
        Refused(Status.InvalidArgument, "kind", () => fp32.Report(ReportKind.Profile));
    }

    [Theory]
    [InlineData("empty.onnx", Status.BadFormat)]
    [InlineData("ir_version_14.onnx", Status.BadVersion)]
    [InlineData("conv_channels.onnx", Status.Shape)]
    [InlineData("loop_with_a_body.onnx", Status.Unsupported)]
    [InlineData("no such file.onnx", Status.IO)]
    public void SaysWhatIsWrongWithAFile(string name, Status status)
    {
        string path = Path.Combine(Repository, "tests/golden/errors", name);
        Refused(status, name, () => Model.Load(path));
    }

    [Fact]
    public void TakesNamesAndFactsOfAnyLanguage()
    {
        string file = Path.Combine(folder, "größe-☃-🚀.im");
        using Model signed = fp32.Annotate("author", "Zoë 🚀");
        signed.Save(file);
        Assert.True(File.Exists(file));
        using Model loaded = Model.Load(file);
        Report facts = loaded.Report(ReportKind.Metadata);
        Assert.Equal("Zoë 🚀", facts.Text(facts.Find("author"), "value"));
        Refused(Status.InvalidArgument, "zero", () => fp32.Annotate("author", "a\0b"));
    }

    [Fact]
    public void SavesAndLoadsMemory()
    {
        using Tensor bytes = fp32.ToTensor();
        string file = Path.Combine(folder, "m.im");
        fp32.Save(file);
        Assert.Equal(File.ReadAllBytes(file), bytes.ToArray<byte>());
        using Model loaded = Model.Load(bytes.ToArray<byte>());
        Collect();
        Assert.Equal(fp32.Inputs[0].Name, loaded.Inputs[0].Name);
        Refused(Status.BadFormat, "", () => Model.Load(new byte[100]));
    }

    [Fact]
    public void QuantizesTheSameFromManyThreads()
    {
        byte[] alone = Calibrated(feed => Enumerable.Range(1, 8).ToList().ForEach(feed));
        Assert.Equal(alone, Calibrated(feed => Parallel.For(1, 9, feed)));
    }

    [Fact]
    public void SavesLoadsAndMergesCalibrations()
    {
        using Tensor x = Images(4);
        using Tensor y = Images(5);
        using Probe whole = Probe.Calibrate(fp32, [[x], [y]]);
        using Probe first = Probe.Calibrate(fp32, [[x]]);
        using Probe second = Probe.Calibrate(fp32, [[y]]);
        string file = Path.Combine(folder, "half.imstat");
        first.Save(file);
        using Probe loaded = Probe.Load(file);
        second.Merge(loaded);
        Assert.Equal(whole.Report(ReportKind.Ranges).ToJson(), second.Report(ReportKind.Ranges).ToJson());
    }

    private byte[] Calibrated(Action<Action<int>> all)
    {
        using Probe ranges = Probe.Calibrate(fp32);
        all(n =>
        {
            using Tensor x = Images(n);
            ranges.Feed(x);
        });
        using Model int8 = fp32.Quantize(ranges);
        using Tensor file = int8.ToTensor();
        return file.ToArray<byte>();
    }

    [Fact]
    public void CalibratesFromAnIteratorThatFillsOneTensor()
    {
        using Tensor x = Tensor.Zeros<float>(1, 1, 28, 28);
        using Probe ranges = Probe.Calibrate(fp32, Batches(x));
        Assert.Equal(5, ranges.Report(ReportKind.Ranges).Number(0, "samples"));
        Assert.Equal(4, ranges.Report(ReportKind.Ranges).Number(0, "max"));
    }

    private static IEnumerable<Tensor[]> Batches(Tensor x)
    {
        for (int i = 0; i < 5; ++i)
        {
            x.Write<float>()[0] = i;
            yield return [x];
        }
    }

    [Fact]
    public void SaysWhatIsWrongWithQuantizing()
    {
        using Model int8 = Quantized(fp32);
        using Probe unfed = Probe.Calibrate(fp32);
        using Tensor x = Images(1);
        Refused(Status.State, "no data", () => fp32.Quantize(unfed));
        Refused(Status.InvalidArgument, "calibration", () => fp32.Quantize(null));
        Refused(Status.State, "quantized", () => Probe.Calibrate(int8));
        Refused(Status.InvalidArgument, "targets", () => unfed.Feed([x], [x]));
        Refused(Status.InvalidArgument, "inputs", () => unfed.Feed(x, x));
    }

    [Fact]
    public void LeavesOutLayersThatOptionsName()
    {
        Options dynamic = Options.None.With(Option.Scheme, (long)Scheme.Dynamic);
        using Model all = fp32.Quantize(null, dynamic);
        using Model none = fp32.Quantize(null, dynamic.With(Option.Skip, 1, layer: "*"));
        Assert.Contains("dynamic", Schemes(all));
        Assert.DoesNotContain("dynamic", Schemes(none));
    }

    private static string[] Schemes(Model model)
    {
        Report layers = model.Report(ReportKind.Layers);
        return Enumerable.Range(0, layers.Rows).Select(row => layers.Text(row, "scheme")).ToArray();
    }

    [Fact]
    public void KnowsItsOptions()
    {
        Options options = Options.FromJson("{\"threads\": 2}")
            .With(Option.Percentile, 99.5).With(Option.Skip, 1, layer: "fc?");
        Assert.Equal(Options.FromJson(options.ToJson()).ToJson(), options.ToJson());
        Assert.Contains("99.5", options.ToJson(), StringComparison.Ordinal);
        Assert.Equal("{}", Options.None.ToJson());
        Refused(Status.BadFormat, "column", () => Options.FromJson("{"));
        Refused(Status.InvalidArgument, "", () => Options.None.With(Option.Threads, "many"));
        Report known = Options.Known();
        Assert.Equal(
            Enum.GetValues<Option>().Select(key => (double)key),
            Enumerable.Range(0, known.Rows).Select(row => known.Number(row, "key")));
    }

    [Fact]
    public void TellsOfItselfAndTheMachine()
    {
        Assert.True(Library.Version >= 100);
        Assert.Contains("oneDNN", Library.BuildInfo, StringComparison.Ordinal);
        Report doctor = Library.Doctor();
        Assert.NotEmpty(doctor.Text(doctor.Find("isa_detected"), "value"));
        Assert.True(Enum.IsDefined(Library.IsaDetected));
        Assert.Equal(-1, doctor.Find("no such key"));
    }
}
