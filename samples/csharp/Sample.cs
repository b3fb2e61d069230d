using System.Buffers.Binary;
using System.IO.Compression;

namespace Intmill.Samples;

/// <summary>What the samples share: choosing one, and Fashion-MNIST's files as tensors.</summary>
internal static class Sample
{
    internal const int Pixels = 28 * 28;

    /// <summary>Arguments: the sample's number, the data folder, what the sample wants.</summary>
    internal static int Run(string[] args)
    {
        string folder = args.Length > 1 ? args[1] : "samples/data";
        return args.FirstOrDefault() switch
        {
            "01" => TensorSample.Run(),
            "02" => DynamicSample.Run(folder),
            "03" => StaticSample.Run(folder, args.Length > 2 ? args[2] : "fashion_cnn.im"),
            "04" => ServeSample.Run(folder),
            _ => throw new ArgumentException("which sample: 01, 02, 03 or 04?"),
        };
    }

    /// <summary>The bytes of an IDX file behind its header of one or three sizes.</summary>
    internal static byte[] ReadIdx(string folder, string name)
    {
        FileStream packed = File.OpenRead(Path.Combine(folder, name));
        using var file = new GZipStream(packed, CompressionMode.Decompress);
        using var memory = new MemoryStream();
        file.CopyTo(memory);
        byte[] bytes = memory.ToArray();
        return bytes[(4 + 4 * (BinaryPrimitives.ReadInt32BigEndian(bytes) & 0xff))..];
    }

    /// <summary>A batch of n images, every step-th from first on, as pixel / 255.</summary>
    internal static Tensor Batch(byte[] images, int first, int step, int n)
    {
        Tensor x = Tensor.Zeros<float>(n, 1, 28, 28);
        for (int i = 0; i < n; ++i)
        {
            Fill(x.Write<float>().Slice(i * Pixels, Pixels), images, first + i * step);
        }
        return x;
    }

    internal static void Fill(Span<float> to, byte[] images, int index)
    {
        for (int p = 0; p < Pixels; ++p)
        {
            to[p] = images[index * Pixels + p] / 255f;
        }
    }

    internal static Tensor Labels(byte[] labels, int first, int n) =>
        Tensor.Of<int>(labels.AsSpan(first, n).ToArray().Select(label => (int)label).ToArray(), n);
}
