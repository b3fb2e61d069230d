using System.Globalization;

namespace Intmill.Samples;

/// <summary>01: quantizes one tensor to 8 bits and back, and says what that costs and saves.</summary>
internal static class TensorSample
{
    internal static int Run()
    {
        var random = new Random(1);
        var normal = new float[64 * 64];
        for (int i = 0; i < normal.Length; ++i)
        {
            double radius = Math.Sqrt(-2 * Math.Log(1 - random.NextDouble()));
            normal[i] = (float)(radius * Math.Cos(2 * Math.PI * random.NextDouble()));
        }
        using Tensor x = Tensor.Wrap<float>(normal, 64, 64);

        // Scale 0.01 and zero point 0 hold -1.28 to 1.27: most of the error is what lies outside.
        Show("fixed", x, new QParams(DType.S8, 0.01f));
        // Then let the library choose from the data.
        Show("chosen", x, QParams.Choose(x));
        return 0;
    }

    private static void Show(string name, Tensor x, QParams parameters)
    {
        using Tensor q = x.Quantize(parameters);
        using Tensor back = q.Dequantize();
        Difference difference = x.Compare(back);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{name,-6} scale {parameters.Scales[0]:f6}, zero point {parameters.ZeroPoints[0],4}: "
            + $"mean absolute error {difference.MeanAbs:f6}, memory ratio {(double)x.Bytes / q.Bytes:f2}x"));
    }
}
