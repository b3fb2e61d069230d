using System.Diagnostics;
using System.Globalization;

namespace Intmill.Tests;

/// <summary>What a bound run costs, and that nothing leaks. Arguments: a model of one input and output, the
/// number of runs; then, if wanted, the number of objects made and disposed. Prints nanoseconds a run and
/// bytes that memory grew. Fails when it grew by 2 MB or more, or a descriptor stayed open, in each of five
/// rounds.</summary>
internal static class Soak
{
    private const int Round = 1000;
    private static readonly Options OneThread = Options.None.With(Option.Threads, 1);

    internal static int Run(string[] args)
    {
        int runs = int.Parse(args[1], CultureInfo.InvariantCulture);
        int cycles = args.Length > 2 ? int.Parse(args[2], CultureInfo.InvariantCulture) : 0;
        using Model model = Model.Load(args[0]);
        using var session = new Session(model, OneThread);
        using Binding binding = session.Bind();
        using Tensor x = Tensor.Zeros<float>([.. session.Inputs[0].Shape!]);
        binding.Set(Side.Input, 0, x);
        bool leaks = true;
        for (int round = 0; round < 5 && leaks; ++round) // the JIT compiler needs memory, too
        {
            leaks = Measure(args[0], binding, x, runs, cycles, last: round == 4);
        }
        return leaks ? 1 : 0;
    }

    private static bool Measure(string file, Binding binding, Tensor x, int runs, int cycles, bool last)
    {
        int files = OpenFiles();
        long before = ResidentBytes();
        double each = RunOften(binding, runs);
        for (int i = 0; i < cycles; ++i)
        {
            Cycle(file, x);
        }
        long grown = ResidentBytes() - before;
        bool leaks = grown >= 2_000_000 || OpenFiles() != files;
        if (last || !leaks)
        {
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"{{\"ns\": {each:f1}, \"grown\": {grown}}}"));
        }
        return leaks;
    }

    // The median of a run over each thousand of them, so that it does not tell how busy the machine is.
    private static double RunOften(Binding binding, int n)
    {
        var each = new double[n / Round];
        for (int round = 0; round < each.Length; ++round)
        {
            long started = Stopwatch.GetTimestamp();
            for (int i = 0; i < Round; ++i)
            {
                binding.Run();
            }
            each[round] = Stopwatch.GetElapsedTime(started).TotalNanoseconds / Round;
        }
        Array.Sort(each);
        return each[each.Length / 2];
    }

    private static void Cycle(string file, Tensor x)
    {
        using Model model = Model.Load(file, OneThread);
        using var session = new Session(model, OneThread);
        using Binding binding = session.Bind();
        using Tensor y = Tensor.Zeros<float>(x.Shape);
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
