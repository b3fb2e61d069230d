namespace Intmill.Samples;

/// <summary>04: serving: many threads run one session. Each has its own binding and tensors, so that a
/// request allocates nothing.</summary>
internal static class ServeSample
{
    private const int Threads = 4;
    private const int Requests = 500;

    internal static int Run(string folder)
    {
        byte[] images = Sample.ReadIdx(folder, "t10k-images-idx3-ubyte.gz");
        using Model model = Model.Load(Path.Combine(folder, "fashion_cnn.onnx"));
        Options options = Options.None.With(Option.Threads, 1); // the server has threads
        using var session = new Session(model, options);

        var answers = new float[Threads][];
        Thread[] threads = Enumerable.Range(0, Threads)
            .Select(i => new Thread(() => answers[i] = Serve(session, images))).ToArray();
        Array.ForEach(threads, thread => thread.Start());
        Array.ForEach(threads, thread => thread.Join());

        float[] alone = Serve(session, images);
        int differing = answers.Count(answer => !answer.SequenceEqual(alone));
        Console.WriteLine($"{Threads} threads answered {Requests} requests each; "
            + $"{differing} threads differ from a single one");
        return differing == 0 ? 0 : 1;
    }

    /// <summary>Answers requests of one image each, on the calling thread.</summary>
    private static float[] Serve(Session session, byte[] images)
    {
        var all = new float[Requests * 10];
        using Binding binding = session.Bind();
        using Tensor x = Tensor.Zeros<float>(1, 1, 28, 28);
        using Tensor y = Tensor.Zeros<float>(1, 10);
        binding.Set(Side.Input, 0, x);
        binding.Set(Side.Output, 0, y);
        for (int i = 0; i < Requests; ++i)
        {
            Sample.Fill(x.Write<float>(), images, i);
            binding.Run();
            y.Read<float>().CopyTo(all.AsSpan(i * 10));
        }
        return all;
    }
}
