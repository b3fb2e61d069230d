using System.Runtime.InteropServices;

namespace Intmill;

/// <summary>The library refused or failed. The message is one line that names the file, node or option.
/// </summary>
public sealed class IntmillException : Exception
{
    internal IntmillException(Status status, string message, Exception? cause = null)
        : base(message, cause) => Status = status;

    /// <summary>What sort of failure; tells whether to mend the call, the file or the machine.</summary>
    public Status Status { get; }

    internal static void ThrowIfFailed(Status status)
    {
        if (status != Status.Ok)
        {
            string message = Marshal.PtrToStringUTF8(Native.intmill_last_error())!;
            throw new IntmillException(status, message, Listeners.TakeThrown(status));
        }
    }

    /// <summary>C would take the text for shorter than it is.</summary>
    internal static string Checked(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return text.Contains('\0', StringComparison.Ordinal)
            ? throw new IntmillException(Status.InvalidArgument, "a string has a zero character in it")
            : text;
    }
}
