namespace Intmill;

/// <summary>A model compiled for this machine. Many threads may run one session at the same time.</summary>
public sealed class Session : IDisposable
{
    private readonly SessionHandle handle;

    /// <summary>Compiles a model; where input sizes are open, the first run with new ones does the work.
    /// </summary>
    public Session(Model model, Options? options = null)
    {
        using OptionsHandle bag = Options.Create(options);
        IntmillException.ThrowIfFailed(
            Native.intmill_session_create(model.Handle, bag, out SessionHandle session));
        handle = session;
        handle.Listeners = options?.Listeners;
        Inputs = model.Inputs;
        Outputs = model.Outputs;
    }

    internal SessionHandle Handle => handle.Live();

    /// <summary>What goes in.</summary>
    public IReadOnlyList<Port> Inputs { get; }

    /// <summary>What comes out.</summary>
    public IReadOnlyList<Port> Outputs { get; }

    /// <summary>Runs the model once: a tensor for each input, in the model's order.</summary>
    public Result Run(params Tensor[] inputs)
    {
        var made = new nint[Outputs.Count];
        Run(inputs, made);
        return new Result(Outputs, made);
    }

    /// <summary>Runs the model once, with inputs by name.</summary>
    public Result Run(IReadOnlyDictionary<string, Tensor> inputs)
    {
        if (inputs.Count != Inputs.Count || !Inputs.All(port => inputs.ContainsKey(port.Name)))
        {
            throw new IntmillException(Status.InvalidArgument,
                $"inputs are {string.Join(", ", inputs.Keys)}, "
                + $"wanted {string.Join(", ", Inputs.Select(port => port.Name))}");
        }
        return Run(Inputs.Select(port => inputs[port.Name]).ToArray());
    }

    /// <summary>Runs the model once, and writes the outputs into these tensors, in the model's order.
    /// </summary>
    public void Run(Tensor[] inputs, Tensor[] outputs)
    {
        foreach (Tensor output in outputs)
        {
            output.RefuseUnlessOwn();
        }
        using var written = new TensorHandles(outputs);
        Run(inputs, written.Addresses);
    }

    /// <summary>A run state with buffers of its own: for each thread one, to run without allocating.
    /// </summary>
    public Binding Bind() => new(this);

    /// <summary>Writes the model and what it was compiled to, as an .ims file: loading that, and a
    /// session of it, are many times faster on the same kind of machine.</summary>
    public void Save(string path) => IntmillException.ThrowIfFailed(
        Native.intmill_session_save(Handle, IntmillException.Checked(path)));

    /// <summary>Profile (when made with that option) or Memory.</summary>
    public Report Report(ReportKind kind)
    {
        IntmillException.ThrowIfFailed(
            Native.intmill_session_report(Handle, kind, out ReportHandle report));
        return Intmill.Report.Take(report);
    }

    /// <summary>Gives the session back.</summary>
    public void Dispose() => handle.Dispose();

    private unsafe void Run(Tensor[] inputs, nint[] outputs)
    {
        using var read = new TensorHandles(inputs);
        fixed (nint* entries = outputs)
        {
            IntmillException.ThrowIfFailed(Native.intmill_session_run(
                Handle, read.Addresses, inputs.Length, entries, outputs.Length));
        }
    }
}
