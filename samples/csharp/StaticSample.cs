namespace Intmill.Samples;

/// <summary>03: static quantization from end to end: load, calibrate, quantize, verify, save, load, run.
/// </summary>
internal static class StaticSample
{
    internal static int Run(string folder, string saved)
    {
        byte[] calibration = Sample.ReadIdx(folder, "calib2048-images-idx3-ubyte.gz");
        byte[] images = Sample.ReadIdx(folder, "t10k-images-idx3-ubyte.gz");
        byte[] labels = Sample.ReadIdx(folder, "t10k-labels-idx1-ubyte.gz");
        using Model fp32 = Model.Load(Path.Combine(folder, "fashion_cnn.onnx"));

        // Calibrate: run the float model on images that it may see, never on the test set.
        using Probe ranges = Probe.Calibrate(fp32);
        using (Tensor x = Sample.Batch(calibration, 0, calibration.Length / Sample.Pixels / 256, 256))
        {
            ranges.Feed(x);
        }
        using Model int8 = fp32.Quantize(ranges);

        // Verify: both models on the same test images, with their labels.
        using Probe check = Probe.Verify(fp32, int8);
        for (int first = 0; first < 1000; first += 100)
        {
            using Tensor x = Sample.Batch(images, first, 1, 100);
            using Tensor y = Sample.Labels(labels, first, 100);
            check.Feed([x], [y]);
        }
        Console.WriteLine(check.Report(ReportKind.Summary));

        // Save, load and run: this is all that the deployed program needs.
        int8.Save(saved);
        using Model loaded = Model.Load(saved);
        using var session = new Session(loaded);
        using Tensor image = Sample.Batch(images, 900, 1, 1);
        using Result result = session.Run(image);
        float[] scores = result[0].ToArray<float>();
        int best = Array.IndexOf(scores, scores.Max());
        Console.WriteLine($"test image 900 is of class {labels[900]}, the model says {best}");
        return 0;
    }
}
