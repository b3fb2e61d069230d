namespace Intmill.Samples;

/// <summary>02: dynamic quantization: 8-bit weights, and no calibration data. Activations get their range
/// from each input while the model runs.</summary>
internal static class DynamicSample
{
    internal static int Run(string folder)
    {
        byte[] images = Sample.ReadIdx(folder, "t10k-images-idx3-ubyte.gz");
        using Model fp32 = Model.Load(Path.Combine(folder, "fashion_cnn.onnx"));
        using Model int8 = fp32.Quantize(null, Options.None.With(Option.Scheme, "dynamic"));

        using Tensor fp32File = fp32.ToTensor();
        using Tensor int8File = int8.ToTensor();
        Console.WriteLine($"{fp32File.Bytes} bytes in float, {int8File.Bytes} in 8 bits");

        using Probe check = Probe.Verify(fp32, int8);
        using Tensor x = Sample.Batch(images, 0, images.Length / Sample.Pixels / 500, 500);
        check.Feed(x);
        Console.WriteLine($"outputs: {check.Report(ReportKind.Outputs)}");
        return 0;
    }
}
