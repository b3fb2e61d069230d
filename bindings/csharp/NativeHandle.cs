using Microsoft.Win32.SafeHandles;

namespace Intmill;

/// <summary>One reference to a C object. Calls under way hold it too, so that disposing an object which
/// another thread uses takes effect when that use ends.</summary>
internal abstract class NativeHandle : SafeHandleZeroOrMinusOneIsInvalid
{
    protected NativeHandle() : base(ownsHandle: true)
    {
    }

    protected NativeHandle(nint borrowed) : base(ownsHandle: false) => SetHandle(borrowed);

    /// <summary>What the C object may call back; lives as long as this.</summary>
    internal Listeners? Listeners { get; set; }
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
    private readonly Tensor[] tensors;
    private readonly nint[] addresses;

    internal TensorHandles(Tensor[] tensors)
    {
        this.tensors = tensors;
        addresses = new nint[tensors.Length];
        int held = 0;
        try
        {
            for (bool added = false; held < tensors.Length; ++held, added = false)
            {
                ArgumentNullException.ThrowIfNull(tensors[held]);
                tensors[held].Handle.DangerousAddRef(ref added);
                addresses[held] = tensors[held].Handle.DangerousGetHandle();
            }
        }
        catch
        {
            Release(tensors.AsSpan(0, held));
            throw;
        }
    }

    internal nint[] Addresses => addresses;

    public void Dispose() => Release(tensors);

    private static void Release(ReadOnlySpan<Tensor> held)
    {
        foreach (Tensor tensor in held)
        {
            tensor.Handle.DangerousRelease();
        }
    }
}
