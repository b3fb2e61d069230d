using System.Diagnostics;

namespace Intmill.Tests;

/// <summary>What a bound run costs, and that nothing leaks: fails when memory grew by 2 MB or more, or a
/// descriptor stayed open, in each of five rounds.</summary>
internal static class Soak
{
    private const int Runs = 1_000_000;
    private const int Cycles = 10_000;

    /// <summary>The model has one input of four floats.</summary>
    internal static int Run(string path)
    {
        using Model model = Model.Load(path);
        using var session = new Session(model, Options.None.With(Option.Threads, 1));
        using Binding binding = session.Bind();
        using Tensor x = Tensor.Zeros<float>(4);
        binding.Set(Side.Input, 0, x);
        bool leaks = true;
        for (int round = 0; round < 5 && leaks; ++round) // the JIT compiler needs memory, too
        {
            leaks = Measure(session, binding, x);
        }
        return leaks ? 1 : 0;
    }

    private static bool Measure(Session session, Binding binding, Tensor x)
    {
        int files = OpenFiles();
        long before = ResidentBytes();
        long started = Stopwatch.GetTimestamp();
        for (int i = 0; i < Runs; ++i)
        {
            binding.Run();
        }
        double each = Stopwatch.GetElapsedTime(started).TotalNanoseconds / Runs;
        for (int i = 0; i < Cycles; ++i)
        {
            Cycle(session, x);
        }
        long grown = ResidentBytes() - before;
        files = OpenFiles() - files;
        Console.WriteLine(
            $"csharp: {each:f0} ns a bound run; memory grew by {grown / 1024} KiB, descriptors by {files}");
        return grown >= 2_000_000 || files != 0;
    }

    private static void Cycle(Session session, Tensor x)
    {
        using Binding binding = session.Bind();
        using Tensor y = Tensor.Zeros<float>(4);
        binding.Set(Side.Input, 0, x);
        binding.Set(Side.Output, 0, y);
        binding.Run();
        session.Run(x).Dispose();
    }

    private static int OpenFiles() => Directory.GetFiles("/proc/self/fd").Length;

    private static long ResidentBytes()
    {
        Fixtures.Collect();
        string line = File.ReadLines("/proc/self/status")
            .First(each => each.StartsWith("VmRSS:", StringComparison.Ordinal));
        return long.Parse(string.Concat(line.Where(char.IsAsciiDigit))) * 1024;
    }
}
