using Microsoft.Win32.SafeHandles;

namespace Intmill;

/// <summary>One reference to a C object. Calls under way hold it too, so that disposing an object which
/// another thread uses gives it back when that use ends.</summary>
internal abstract class NativeHandle : SafeHandleZeroOrMinusOneIsInvalid
{
    private volatile bool disposed;

    protected NativeHandle() : base(ownsHandle: true)
    {
    }

    protected NativeHandle(nint borrowed) : base(ownsHandle: false) => SetHandle(borrowed);

    /// <summary>What the C object may call back; lives as long as this.</summary>
    internal Listeners? Listeners { get; set; }

    /// <summary>A SafeHandle lets new calls in as long as older ones hold it; after Dispose none may
    /// start.</summary>
    internal bool IsDisposed => disposed;

    protected override void Dispose(bool disposing)
    {
        disposed = true;
        base.Dispose(disposing);
    }
}

internal static class NativeHandles
{
    /// <summary>The handle, for a call that begins now.</summary>
    internal static T Live<T>(this T handle) where T : NativeHandle =>
        handle.IsDisposed
            ? throw new ObjectDisposedException(typeof(T).Name[..^"Handle".Length])
            : handle;
}

/// <summary>Keeps an object alive while memory of it is read.</summary>
internal readonly ref struct Hold
{
    private readonly NativeHandle handle;

    internal Hold(NativeHandle handle)
    {
        bool added = false;
        handle.DangerousAddRef(ref added);
        this.handle = handle;
    }

    public void Dispose() => handle.DangerousRelease();
}

/// <summary>The handles of some tensors, for the calls that take several.</summary>
internal readonly ref struct TensorHandles
{
    private readonly TensorHandle[] handles;

    internal TensorHandles(Tensor[] tensors)
    {
        handles = new TensorHandle[tensors.Length];
        Addresses = new nint[tensors.Length];
        try
        {
            for (int i = 0; i < tensors.Length; ++i)
            {
                ArgumentNullException.ThrowIfNull(tensors[i]);
                TensorHandle handle = tensors[i].Handle;
                bool added = false;
                handle.DangerousAddRef(ref added);
                handles[i] = handle;
                Addresses[i] = handle.DangerousGetHandle();
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    internal nint[] Addresses { get; }

    public void Dispose()
    {
        foreach (TensorHandle? held in handles)
        {
            held?.DangerousRelease();
        }
    }
}
