namespace Intmill;

/// <summary>One thread's run state: from the second run with the same tensors on, nothing is allocated.
/// Make one for each thread; threads that share one take turns.</summary>
public sealed class Binding : IDisposable
{
    private readonly object turn = new();
    private readonly BindingHandle handle;

    internal Binding(Session session)
    {
        IntmillException.ThrowIfFailed(
            Native.intmill_binding_create(session.Handle, out BindingHandle made));
        handle = made;
        handle.Listeners = session.Handle.Listeners;
    }

    /// <summary>Names the tensor for a port; it stays until another takes its place, and may be written
    /// between runs.</summary>
    /// <param name="side">Input or output.</param>
    /// <param name="index">The port's place.</param>
    /// <param name="tensor">null, for an output: the binding makes one, as it does from the start.</param>
    public void Set(Side side, int index, Tensor? tensor)
    {
        if (side == Side.Output)
        {
            tensor?.RefuseUnlessOwn();
        }
        using var none = new TensorHandle();
        lock (turn)
        {
            IntmillException.ThrowIfFailed(
                Native.intmill_binding_set(handle.Live(), side, index, tensor?.Handle ?? none));
        }
    }

    /// <summary>The tensor of a port: what was set, or the output that the last run made. What it reads is
    /// of the time of its first reading.</summary>
    public Tensor Get(Side side, int index)
    {
        lock (turn)
        {
            IntmillException.ThrowIfFailed(
                Native.intmill_binding_get(handle.Live(), side, index, out TensorHandle tensor));
            return new Tensor(tensor);
        }
    }

    /// <summary>Runs the model on the bound tensors.</summary>
    public void Run()
    {
        lock (turn)
        {
            IntmillException.ThrowIfFailed(Native.intmill_binding_run(handle.Live()));
        }
    }

    /// <summary>Gives the binding back, with the tensors it made unless others hold them.</summary>
    public void Dispose() => handle.Dispose();
}
