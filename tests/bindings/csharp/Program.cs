using Intmill.Samples;

namespace Intmill.Tests;

/// <summary>What run.sh calls beside the tests.</summary>
internal static class Program
{
    internal static int Main(string[] args) => args.FirstOrDefault() switch
    {
        "scenario" => Scenario.Run(args[1]),
        "soak" => Soak.Run(args[1..]),
        _ => Sample.Run(args),
    };
}
