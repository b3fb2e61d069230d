using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Intmill;

/// <summary>How grave a line of log is.</summary>
public enum LogLevel
{
    /// <summary>Something failed.</summary>
    Error = 0,
    /// <summary>Something may go wrong.</summary>
    Warning = 1,
    /// <summary>What happens.</summary>
    Information = 2,
    /// <summary>Details.</summary>
    Debug = 3,
    /// <summary>All details.</summary>
    Trace = 4,
}

/// <summary>The listeners of some options. C knows them by a number, and asks here for those still alive:
/// an object made with the options keeps them so.</summary>
internal sealed unsafe class Listeners
{
    private static readonly ConcurrentDictionary<nint, WeakReference<Listeners>> Alive = new();
    private static long last;

    [ThreadStatic]
    private static Exception? thrown;

    private readonly Func<Progress, bool>? progress;
    private readonly Action<LogLevel, string>? log;
    private readonly nint number = (nint)Interlocked.Increment(ref last);

    private Listeners(Func<Progress, bool>? progress, Action<LogLevel, string>? log)
    {
        this.progress = progress;
        this.log = log;
        Alive[number] = new WeakReference<Listeners>(this);
    }

    ~Listeners() => Alive.TryRemove(number, out _);

    internal static Listeners With(Listeners? other, Func<Progress, bool> progress) =>
        new(progress, other?.log);

    internal static Listeners With(Listeners? other, Action<LogLevel, string> log) =>
        new(other?.progress, log);

    internal void Register(OptionsHandle options)
    {
        if (progress != null)
        {
            IntmillException.ThrowIfFailed(
                Native.intmill_options_on_progress(options, &OnProgress, number));
        }
        if (log != null)
        {
            IntmillException.ThrowIfFailed(Native.intmill_options_on_log(options, &OnLog, number));
        }
    }

    /// <summary>What a listener threw while an operation of this thread ran.</summary>
    internal static Exception? TakeThrown(Status status)
    {
        Exception? taken = thrown;
        thrown = null;
        return status == Status.Cancelled ? taken : null;
    }

    private static Listeners? Find(nint number) =>
        Alive.TryGetValue(number, out WeakReference<Listeners>? weak)
        && weak.TryGetTarget(out Listeners? found)
            ? found
            : null;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int OnProgress(nint user, nint now)
    {
        thrown = null; // of an operation that ended all the same
        try
        {
            var raw = (RawProgress*)now;
            var told = new Progress(Marshal.PtrToStringUTF8(raw->Stage)!, raw->Done, raw->Total);
            return Find(user)?.progress?.Invoke(told) == false ? 1 : 0;
        }
        catch (Exception e)
        {
            thrown = e;
            return 1;
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void OnLog(nint user, int level, nint message)
    {
        try
        {
            Find(user)?.log?.Invoke((LogLevel)level, Marshal.PtrToStringUTF8(message)!);
        }
        catch (Exception)
        {
            // Must not reach C, and the thread may be nobody's: a log that fails goes without.
        }
    }
}
