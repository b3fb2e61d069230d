namespace Intmill;

/// <summary>Watches models run on your data: make one, feed it batches, read its report. A calibrating
/// probe may be fed by many threads at once; otherwise one thread at a time, which this class sees to.
/// </summary>
public sealed class Probe : IDisposable
{
    private readonly object turn = new();
    private readonly bool takesTurns;
    private readonly ProbeHandle handle;

    private Probe(ProbeHandle handle, Options? options, bool takesTurns)
    {
        this.handle = handle;
        handle.Listeners = options?.Listeners;
        this.takesTurns = takesTurns;
    }

    internal ProbeHandle Handle => handle.Live();

    /// <summary>Learns the ranges of a float model's activations. The order of batches does not matter.
    /// </summary>
    public static Probe Calibrate(Model model, Options? options = null)
    {
        using OptionsHandle bag = Options.Create(options);
        IntmillException.ThrowIfFailed(
            Native.intmill_probe_calibrate(model.Handle, bag, out ProbeHandle probe));
        return new Probe(probe, options, takesTurns: false);
    }

    /// <summary>Learns the ranges from these batches. Tensors stay the caller's, so that an iterator may
    /// fill the same ones again.</summary>
    public static Probe Calibrate(Model model, IEnumerable<Tensor[]> batches, Options? options = null)
    {
        Probe probe = Calibrate(model, options);
        foreach (Tensor[] batch in batches)
        {
            probe.Feed(batch);
        }
        return probe;
    }

    /// <summary>Runs two models on the same data and compares their outputs.</summary>
    public static Probe Verify(Model reference, Model candidate, Options? options = null)
    {
        using OptionsHandle bag = Options.Create(options);
        IntmillException.ThrowIfFailed(
            Native.intmill_probe_verify(reference.Handle, candidate.Handle, bag, out ProbeHandle probe));
        return new Probe(probe, options, takesTurns: true);
    }

    /// <summary>As Verify, and layer by layer, for Model.Certify.</summary>
    public static Probe Certify(Model reference, Model candidate, Options? options = null)
    {
        using OptionsHandle bag = Options.Create(options);
        IntmillException.ThrowIfFailed(
            Native.intmill_probe_certify(reference.Handle, candidate.Handle, bag, out ProbeHandle probe));
        return new Probe(probe, options, takesTurns: true);
    }

    /// <summary>Measures again what a model's certificate says, on the same data; its report is Replay.
    /// </summary>
    public static Probe Replay(Model model, Options? options = null)
    {
        using OptionsHandle bag = Options.Create(options);
        IntmillException.ThrowIfFailed(
            Native.intmill_probe_replay(model.Handle, bag, out ProbeHandle probe));
        return new Probe(probe, options, takesTurns: true);
    }

    /// <summary>Ranks layers by what quantizing each alone costs.</summary>
    public static Probe Sensitivity(Model model, Probe calibration, Options? options = null)
    {
        using OptionsHandle bag = Options.Create(options);
        IntmillException.ThrowIfFailed(
            Native.intmill_probe_sensitivity(model.Handle, calibration.Handle, bag, out ProbeHandle probe));
        return new Probe(probe, options, takesTurns: true);
    }

    /// <summary>Learns how to round weights; for Model.Quantize, in place of the calibration.</summary>
    public static Probe Rounding(Model model, Probe calibration, Options? options = null)
    {
        using OptionsHandle bag = Options.Create(options);
        IntmillException.ThrowIfFailed(
            Native.intmill_probe_rounding(model.Handle, calibration.Handle, bag, out ProbeHandle probe));
        return new Probe(probe, options, takesTurns: true);
    }

    /// <summary>A calibrating probe from the file that Save wrote. It cannot be fed.</summary>
    public static Probe Load(string path, Options? options = null)
    {
        using OptionsHandle bag = Options.Create(options);
        IntmillException.ThrowIfFailed(
            Native.intmill_probe_load(IntmillException.Checked(path), bag, out ProbeHandle probe));
        return new Probe(probe, options, takesTurns: false);
    }

    /// <summary>Writes what a calibrating probe saw, whole or not at all.</summary>
    public void Save(string path, Options? options = null)
    {
        using OptionsHandle bag = Options.Create(options);
        IntmillException.ThrowIfFailed(
            Native.intmill_probe_save(Handle, IntmillException.Checked(path), bag));
    }

    /// <summary>Adds what another calibrating probe of the same model saw.</summary>
    public void Merge(Probe other) =>
        IntmillException.ThrowIfFailed(Native.intmill_probe_merge(Handle, other.Handle));

    /// <summary>Runs the models on one batch: a tensor for each input, in the model's order.</summary>
    public void Feed(params Tensor[] inputs) => Feed(inputs, []);

    /// <summary>As Feed, and says to a verifying probe which class of each row is right.</summary>
    public void Feed(Tensor[] inputs, Tensor[] targets)
    {
        if (takesTurns)
        {
            lock (turn)
            {
                FeedNow(inputs, targets);
            }
        }
        else
        {
            FeedNow(inputs, targets);
        }
    }

    /// <summary>Ranges or Histograms of a calibrating probe, Summary or Outputs of a verifying or certifying
    /// one, Summary or Sensitivity of one that ranks layers, Replay of one that replays.</summary>
    public Report Report(ReportKind kind)
    {
        lock (turn)
        {
            IntmillException.ThrowIfFailed(
                Native.intmill_probe_report(Handle, kind, out ReportHandle report));
            return Intmill.Report.Take(report);
        }
    }

    /// <summary>Gives the probe back.</summary>
    public void Dispose() => handle.Dispose();

    private void FeedNow(Tensor[] inputs, Tensor[] targets)
    {
        using var fed = new TensorHandles(inputs);
        using var wanted = new TensorHandles(targets);
        IntmillException.ThrowIfFailed(Native.intmill_probe_feed(
            Handle, fed.Addresses, inputs.Length, wanted.Addresses, targets.Length));
    }
}
