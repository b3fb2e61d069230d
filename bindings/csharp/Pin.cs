using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Intmill;

/// <summary>Managed memory that C borrows: pinned and alive until C calls <see cref="Free"/>.</summary>
internal sealed class Pin
{
    private readonly object memory; // a pinned array needs no pin, but an owner
    private MemoryHandle handle;

    private Pin(object memory, MemoryHandle handle)
    {
        this.memory = memory;
        this.handle = handle;
    }

    /// <summary>Pins; the answer is what C hands to <see cref="Free"/>.</summary>
    internal static unsafe nint Create<T>(Memory<T> memory, out nint data)
    {
        MemoryHandle handle = memory.Pin();
        data = (nint)handle.Pointer;
        return GCHandle.ToIntPtr(GCHandle.Alloc(new Pin(memory, handle)));
    }

    internal static void Release(nint pin)
    {
        GCHandle holder = GCHandle.FromIntPtr(pin);
        var released = (Pin)holder.Target!;
        holder.Free();
        released.handle.Dispose();
        GC.KeepAlive(released.memory);
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    internal static void Free(nint user, nint data) => Release(user);
}
