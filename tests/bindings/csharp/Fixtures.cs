using Xunit;

namespace Intmill.Tests;

/// <summary>What the tests share: the sample model, batches for it, and expected refusals.</summary>
internal static class Fixtures
{
    internal static readonly string Repository =
        Environment.GetEnvironmentVariable("INTMILL_REPOSITORY") ?? ".";

    internal static readonly string Sample = Path.Combine(Repository, "samples/data/fashion_cnn.onnx");

    internal static readonly Options OneThread = Options.None.With(Option.Threads, 1);

    /// <summary>Slanted waves, each picture of another length.</summary>
    internal static Tensor Images(int rows)
    {
        Tensor x = Tensor.Zeros<float>(rows, 1, 28, 28);
        Span<float> pixels = x.Write<float>();
        for (int i = 0; i < pixels.Length; ++i)
        {
            int row = i % 784 / 28;
            pixels[i] = ((row * (i / 784 + 1)) + (i % 28 * 3)) % 29 / 28f;
        }
        return x;
    }

    internal static Model Quantized(Model fp32)
    {
        using Tensor x = Images(4);
        using Probe ranges = Probe.Calibrate(fp32, [[x]]);
        return fp32.Quantize(ranges);
    }

    internal static IntmillException Refused(Status wanted, string part, Action call)
    {
        IntmillException e = Assert.Throws<IntmillException>(call);
        Assert.Equal(wanted, e.Status);
        Assert.Contains(part, e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("\n", e.Message, StringComparison.Ordinal);
        return e;
    }

    internal static void Collect()
    {
        for (int i = 0; i < 3; ++i)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
    }
}
