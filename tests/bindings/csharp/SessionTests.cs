using Xunit;
using static Intmill.Tests.Fixtures;

namespace Intmill.Tests;

public sealed class SessionTests : IDisposable
{
    private readonly Model fp32;
    private readonly Model model;
    private readonly Session session;

    public SessionTests()
    {
        fp32 = Model.Load(Sample);
        model = Quantized(fp32);
        session = new Session(model, OneThread);
    }

    public void Dispose()
    {
        session.Dispose();
        model.Dispose();
        fp32.Dispose();
    }

    private float[] Scores(int rows)
    {
        using Tensor x = Images(rows);
        using Result result = session.Run(x);
        return result[0].ToArray<float>();
    }

    [Fact]
    public void RunsByPlaceByNameAndInPlace()
    {
        using Tensor x = Images(3);
        using Tensor y = Tensor.Zeros<float>(3, 10);
        using Result named = session.Run(new Dictionary<string, Tensor> { [session.Inputs[0].Name] = x });
        Assert.Equal(Scores(3), named[session.Outputs[0].Name].ToArray<float>());
        Assert.Single(named);
        Assert.Throws<KeyNotFoundException>(() => named["no such output"]);
        session.Run([x], [y]);
        Assert.Equal(Scores(3), y.ToArray<float>());
        Refused(Status.InvalidArgument, "wrong",
            () => session.Run(new Dictionary<string, Tensor> { ["wrong"] = x }));
        Assert.Throws<InvalidOperationException>(() => session.Run([x], [named[0]]));
    }

    [Fact]
    public void SaysWhatIsWrongWithInputs()
    {
        using Tensor flat = Tensor.Zeros<float>(784);
        using Tensor integers = Tensor.Zeros<int>(1, 1, 28, 28);
        Refused(Status.Shape, "found 784", () => session.Run(flat));
        Refused(Status.Shape, "s32", () => session.Run(integers));
        Refused(Status.InvalidArgument, "inputs", () => session.Run(flat, flat));
        Assert.Throws<ArgumentNullException>(() => session.Run(flat, null!));
        flat.Dispose(); // nothing holds it
        Assert.Throws<ObjectDisposedException>(() => flat.Shape);
    }

    [Fact]
    public void BindsTensorsOfTheCaller()
    {
        using Binding binding = session.Bind();
        using Tensor x = Images(2);
        using Tensor y = Tensor.Zeros<float>(2, 10);
        Refused(Status.State, "", binding.Run);
        binding.Set(Side.Input, 0, x);
        binding.Set(Side.Output, 0, y);
        binding.Run();
        Assert.Equal(Scores(2), y.ToArray<float>());
        binding.Set(Side.Output, 0, null);
        binding.Run();
        using Tensor made = binding.Get(Side.Output, 0);
        Assert.Equal(Scores(2), made.ToArray<float>());
        Refused(Status.InvalidArgument, "", () => binding.Set(Side.Input, 1, x));
        Refused(Status.InvalidArgument, "", () => binding.Set(Side.Input, 0, null));
        Refused(Status.Shape, "", () => binding.Set(Side.Input, 0, y));
        Assert.Throws<InvalidOperationException>(() => binding.Set(Side.Output, 0, made));
    }

    [Fact]
    public void MeasuresItsLayersAndMemory()
    {
        using var measured = new Session(model, OneThread.With(Option.Profile, 1));
        using Tensor x = Images(1);
        measured.Run(x).Dispose();
        measured.Run(x).Dispose();
        Assert.Equal(2, measured.Report(ReportKind.Profile).Number(0, "calls"));
        Assert.True(measured.Report(ReportKind.Memory).Rows > 0);
        Refused(Status.State, "PROFILE", () => session.Report(ReportKind.Profile));
    }

    [Fact]
    public void AnswersEightThreadsWithTheSameBits()
    {
        float[][] alone = Enumerable.Range(1, 4).Select(Scores).ToArray();
        var threads = new Thread[8];
        int differing = 0;
        for (int t = 0; t < threads.Length; ++t)
        {
            threads[t] = new Thread(() =>
            {
                for (int i = 0; i < 100; ++i)
                {
                    if (!Scores((i % 4) + 1).SequenceEqual(alone[i % 4]))
                    {
                        Interlocked.Increment(ref differing);
                    }
                }
            });
            threads[t].Start();
        }
        Array.ForEach(threads, thread => thread.Join());
        Assert.Equal(0, differing);
    }
}
