using System.Numerics;
using System.Runtime.InteropServices;

namespace Intmill;

/// <summary>Numbers with a type and a shape, row-major and dense. One thread at a time may write a tensor;
/// many may read one that nobody writes.</summary>
/// <remarks>A tensor that you make lives in managed memory, which the library uses without a copy. One that
/// the library makes, such as the output of a run, is copied into managed memory when it is first read. So
/// a span is never left dangling, whatever is disposed; to run without copies, bind tensors of your own.
/// Element types: float F32, Half F16, ushort BF16, sbyte S8, byte U8, int S32, long S64, bool Bool.
/// </remarks>
public sealed class Tensor : IDisposable
{
    private const int Alignment = 64;

    private readonly TensorHandle handle;
    private readonly bool own; // made here, over managed memory
    private object? memory; // a Memory<T>; null until one that the library made is read

    internal Tensor(TensorHandle made) => handle = made;

    private Tensor(TensorHandle handle, object memory)
    {
        this.handle = handle;
        this.memory = memory;
        own = true;
    }

    internal TensorHandle Handle => handle.Live();

    /// <summary>Element type.</summary>
    public DType DType
    {
        get
        {
            using var hold = new Hold(Handle);
            return Native.intmill_tensor_dtype(Handle);
        }
    }

    /// <summary>Sizes of the dimensions.</summary>
    public unsafe long[] Shape
    {
        get
        {
            using var hold = new Hold(Handle);
            int rank = (int)Native.intmill_tensor_rank(Handle);
            return new ReadOnlySpan<long>((void*)Native.intmill_tensor_dims(Handle), rank).ToArray();
        }
    }

    /// <summary>Size of the elements in bytes, scales and zero points not counted.</summary>
    public long Bytes => Native.intmill_tensor_bytes(Handle);

    /// <summary>Scales and zero points; null: not a quantized tensor.</summary>
    public QParams? QParams => QParams.Of(Handle);

    /// <summary>A tensor of zeros; no sizes: one value.</summary>
    public static Tensor Zeros<T>(params long[] shape) where T : unmanaged
    {
        BigInteger count = shape.Aggregate(BigInteger.One, (product, size) => product * size);
        if (shape.Any(size => size < 0) || count > Array.MaxLength / 2)
        {
            return Make(TypeOf<T>(), shape); // for the library to refuse, or to hold itself
        }
        return Wrap(Allocate<T>((int)count), shape);
    }

    /// <summary>A tensor with a copy of these numbers.</summary>
    public static Tensor Of<T>(ReadOnlySpan<T> values, params long[] shape) where T : unmanaged
    {
        Memory<T> copy = Allocate<T>(values.Length);
        values.CopyTo(copy.Span);
        return Wrap(copy, shape);
    }

    /// <summary>A tensor of this memory, without a copy: it stays pinned until nothing needs it.</summary>
    public static unsafe Tensor Wrap<T>(Memory<T> memory, params long[] shape) where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(shape);
        DType type = TypeOf<T>();
        nint pin = Pin.Create(memory, out nint data);
        Status status = Native.intmill_tensor_wrap(type, shape.Length, shape, data,
            (long)memory.Length * sizeof(T), &Pin.Free, pin, out TensorHandle handle);
        if (status != Status.Ok)
        {
            Pin.Release(pin); // nothing was taken over
        }
        IntmillException.ThrowIfFailed(status);
        return new Tensor(handle, memory);
    }

    /// <summary>The elements, to read. T must be that of <see cref="DType"/>.</summary>
    public ReadOnlySpan<T> Read<T>() where T : unmanaged => Elements<T>().Span;

    /// <summary>The elements, to write; not of a tensor that the library made.</summary>
    public Span<T> Write<T>() where T : unmanaged
    {
        RefuseUnlessOwn();
        return Elements<T>().Span;
    }

    /// <summary>A copy of the elements.</summary>
    public T[] ToArray<T>() where T : unmanaged => Read<T>().ToArray();

    /// <summary>The 8-bit tensor of a tensor of floats; it carries the parameters.</summary>
    public Tensor Quantize(QParams parameters)
    {
        using QparamsHandle q = parameters.Create();
        IntmillException.ThrowIfFailed(Native.intmill_tensor_quantize(Handle, q, out TensorHandle made));
        return new Tensor(made);
    }

    /// <summary>The floats of a quantized tensor.</summary>
    public Tensor Dequantize()
    {
        IntmillException.ThrowIfFailed(Native.intmill_tensor_dequantize(Handle, out TensorHandle made));
        return new Tensor(made);
    }

    /// <summary>Quantizes and dequantizes.</summary>
    public Tensor FakeQuantize(QParams parameters)
    {
        using QparamsHandle q = parameters.Create();
        IntmillException.ThrowIfFailed(
            Native.intmill_tensor_fake_quantize(Handle, q, out TensorHandle made));
        return new Tensor(made);
    }

    /// <summary>How far another is from this; quantized tensors count as the values they stand for.</summary>
    public unsafe Difference Compare(Tensor other)
    {
        var d = new RawDifference { StructSize = (uint)sizeof(RawDifference) };
        IntmillException.ThrowIfFailed(Native.intmill_tensor_compare(Handle, other.Handle, ref d));
        return new Difference(d.MaxAbs, d.MeanAbs, d.Mse, d.SqnrDb, d.Cosine, d.BytesA, d.BytesB);
    }

    /// <summary>Gives the tensor back; what is bound to it keeps it alive.</summary>
    public void Dispose()
    {
        handle.Dispose();
        memory = null;
    }

    /// <summary>A tensor that the library made may have been read, and would then show what it was.</summary>
    internal void RefuseUnlessOwn()
    {
        if (!own)
        {
            throw new InvalidOperationException("the library made this tensor: it is read-only");
        }
    }

    private static Tensor Make(DType type, long[] shape)
    {
        IntmillException.ThrowIfFailed(
            Native.intmill_tensor_create(type, shape.Length, shape, out TensorHandle made));
        return new Tensor(made);
    }

    /// <summary>Zeros that the garbage collector does not move, aligned as the library likes it.</summary>
    private static unsafe Memory<T> Allocate<T>(int count) where T : unmanaged
    {
        T[] array = GC.AllocateArray<T>(count + Alignment / sizeof(T), pinned: true);
        var address = (nint)Marshal.UnsafeAddrOfPinnedArrayElement(array, 0);
        int skip = (int)(-address & (Alignment - 1)) / sizeof(T);
        return MemoryMarshal.CreateFromPinnedArray(array, skip, count);
    }

    private Memory<T> Elements<T>() where T : unmanaged
    {
        using var hold = new Hold(Handle);
        if (Native.intmill_tensor_dtype(Handle) is DType found && found != TypeOf<T>())
        {
            throw new InvalidCastException($"the tensor is of type {found}, which is not {typeof(T).Name}");
        }
        memory ??= Copy<T>();
        return (Memory<T>)memory;
    }

    private unsafe Memory<T> Copy<T>() where T : unmanaged
    {
        int count = checked((int)(Native.intmill_tensor_bytes(Handle) / sizeof(T)));
        return new ReadOnlySpan<T>((void*)Native.intmill_tensor_data(Handle), count).ToArray();
    }

    private static DType TypeOf<T>() => default(T) switch
    {
        float => DType.F32,
        Half => DType.F16,
        ushort => DType.BF16,
        sbyte => DType.S8,
        short => DType.S16,
        byte => DType.U8,
        int => DType.S32,
        long => DType.S64,
        bool => DType.Bool,
        _ => throw new NotSupportedException($"no element type is a {typeof(T).Name}"),
    };
}
