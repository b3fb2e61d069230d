using System.Runtime.InteropServices;

namespace Intmill;

/// <summary>The library as a whole.</summary>
public static class Library
{
    /// <summary>Version of the loaded library: major * 10000 + minor * 100 + patch.</summary>
    public static int Version => Native.intmill_version();

    /// <summary>One line for a bug report: version, compiler, oneDNN.</summary>
    public static string BuildInfo => Marshal.PtrToStringUTF8(Native.intmill_build_info())!;

    /// <summary>The best instruction set of this processor that the kernels know.</summary>
    public static Isa IsaDetected => Native.intmill_isa_detected();

    /// <summary>Limits the instruction sets used by this process; before the first session only.</summary>
    public static void LimitIsa(Isa highest) =>
        IntmillException.ThrowIfFailed(Native.intmill_isa_limit(highest));

    /// <summary>What decides whether models run fast here: key, value, note.</summary>
    public static Report Doctor()
    {
        IntmillException.ThrowIfFailed(Native.intmill_doctor(out ReportHandle report));
        return Report.Take(report);
    }
}
