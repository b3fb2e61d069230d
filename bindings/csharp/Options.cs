using System.Runtime.InteropServices;

namespace Intmill;

/// <summary>Settings for any operation; each reads the keys it knows. Immutable: <c>With</c> and <c>On</c>
/// answer a copy, so one may serve many threads. A wrong key or value is refused at once.</summary>
/// <example><c>Options.None.With(Option.Threads, 1).With(Option.Skip, 1, layer: "block3.*")</c></example>
public sealed class Options
{
    private readonly string? json;
    private readonly IReadOnlyList<(Option Key, object Value, string? Layer)> settings;

    private Options(
        string? json, IReadOnlyList<(Option Key, object Value, string? Layer)> settings, Listeners? listeners)
    {
        this.json = json;
        this.settings = settings;
        Listeners = listeners;
    }

    /// <summary>Every key has its default.</summary>
    public static Options None { get; } = new(null, [], null);

    internal Listeners? Listeners { get; }

    /// <summary>From JSON such as <c>{"calibration": "entropy", "layers": {"conv*": {"skip": 1}}}</c>.
    /// </summary>
    public static Options FromJson(string json) =>
        new Options(IntmillException.Checked(json), [], null).Verified();

    /// <summary>What was set, as JSON; listeners are not part of it.</summary>
    public string ToJson()
    {
        using OptionsHandle bag = Create();
        return Marshal.PtrToStringUTF8(Native.intmill_options_json(bag))!;
    }

    /// <summary>Sets an integer, for the whole model or for layers of a name or glob (* and ?).</summary>
    public Options With(Option key, long value, string? layer = null) => Add(key, value, layer);

    /// <summary>Sets a number.</summary>
    public Options With(Option key, double value, string? layer = null) => Add(key, value, layer);

    /// <summary>Sets a string, or an integer by the name of its value, such as "entropy".</summary>
    public Options With(Option key, string value, string? layer = null) =>
        Add(key, IntmillException.Checked(value), layer);

    /// <summary>Hears of progress on the thread that called the operation; false stops it with Cancelled,
    /// and so does an exception, which becomes the inner exception.</summary>
    public Options OnProgress(Func<Progress, bool> listener) =>
        new(json, settings, Listeners.With(Listeners, listener));

    /// <summary>Takes the log, line by line, on any thread.</summary>
    public Options OnLog(Action<LogLevel, string> listener) =>
        new(json, settings, Listeners.With(Listeners, listener));

    /// <summary>Every key there is: key, name, type, per_layer, values, default, help.</summary>
    public static Report Known()
    {
        IntmillException.ThrowIfFailed(Native.intmill_options_known(out ReportHandle report));
        return Report.Take(report);
    }

    /// <summary>A C bag with all this; the caller disposes of it.</summary>
    internal static OptionsHandle Create(Options? options) => (options ?? None).Create();

    private Options Add(Option key, object value, string? layer)
    {
        if (layer != null)
        {
            IntmillException.Checked(layer);
        }
        return new Options(json, [.. settings, (key, value, layer)], Listeners).Verified();
    }

    private Options Verified()
    {
        Create().Dispose();
        return this;
    }

    private OptionsHandle Create()
    {
        IntmillException.ThrowIfFailed(json == null
            ? Native.intmill_options_create(out OptionsHandle bag)
            : Native.intmill_options_from_json(json, out bag));
        try
        {
            foreach ((Option key, object value, string? layer) in settings)
            {
                IntmillException.ThrowIfFailed(value switch
                {
                    long number => Native.intmill_options_set_i64(bag, layer, key, number),
                    double number => Native.intmill_options_set_f64(bag, layer, key, number),
                    _ => Native.intmill_options_set_str(bag, layer, key, (string)value),
                });
            }
            Listeners?.Register(bag);
            bag.Listeners = Listeners; // for as long as an operation uses the bag
            return bag;
        }
        catch
        {
            bag.Dispose();
            throw;
        }
    }
}
