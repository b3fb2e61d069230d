namespace Intmill;

/// <summary>Scales and zero points: q = saturate(round(x / scale) + zero point). A value; it needs no
/// disposing.</summary>
public sealed class QParams
{
    private readonly float[] scales;
    private readonly int[] zeroPoints;

    /// <summary>One scale and zero point for each index of an axis; -1: one for the whole tensor.</summary>
    /// <param name="dtype">S8 or U8.</param>
    /// <param name="axis">The axis, or -1.</param>
    /// <param name="scales">Positive numbers.</param>
    /// <param name="zeroPoints">As many numbers within the type's range; empty: all 0.</param>
    public QParams(DType dtype, int axis, ReadOnlySpan<float> scales, ReadOnlySpan<int> zeroPoints)
    {
        DType = dtype;
        Axis = axis;
        this.scales = scales.ToArray();
        this.zeroPoints = zeroPoints.IsEmpty ? new int[scales.Length] : zeroPoints.ToArray();
        if (this.scales.Length != this.zeroPoints.Length)
        {
            throw new ArgumentException($"{scales.Length} scales, but {zeroPoints.Length} zero points");
        }
        Create().Dispose(); // the library checks them
    }

    /// <summary>One scale for a whole tensor.</summary>
    public QParams(DType dtype, float scale, int zeroPoint = 0) : this(dtype, -1, [scale], [zeroPoint])
    {
    }

    private unsafe QParams(QparamsHandle handle)
    {
        DType = Native.intmill_qparams_dtype(handle);
        Axis = Native.intmill_qparams_axis(handle);
        int n = (int)Native.intmill_qparams_count(handle);
        scales = new ReadOnlySpan<float>((void*)Native.intmill_qparams_scales(handle), n).ToArray();
        zeroPoints = new ReadOnlySpan<int>((void*)Native.intmill_qparams_zero_points(handle), n).ToArray();
    }

    /// <summary>The type they quantize to.</summary>
    public DType DType { get; }

    /// <summary>The axis with one scale for each index; -1: one scale for all.</summary>
    public int Axis { get; }

    /// <summary>The scales.</summary>
    public ReadOnlySpan<float> Scales => scales;

    /// <summary>The zero points, as many as scales.</summary>
    public ReadOnlySpan<int> ZeroPoints => zeroPoints;

    /// <summary>Chooses them for a tensor of floats: axis -1 as for an activation, otherwise as for a
    /// weight.</summary>
    public static QParams Choose(Tensor x, int axis = -1, Options? options = null)
    {
        using OptionsHandle bag = Options.Create(options);
        IntmillException.ThrowIfFailed(
            Native.intmill_qparams_choose(x.Handle, axis, bag, out QparamsHandle chosen));
        using (chosen)
        {
            return new QParams(chosen);
        }
    }

    /// <summary>Those of a tensor; null when it has none.</summary>
    internal static QParams? Of(TensorHandle tensor)
    {
        using var hold = new Hold(tensor);
        using var borrowed = new QparamsHandle(Native.intmill_tensor_qparams(tensor));
        return borrowed.IsInvalid ? null : new QParams(borrowed);
    }

    /// <summary>A C object with all this; the caller disposes of it.</summary>
    internal QparamsHandle Create()
    {
        IntmillException.ThrowIfFailed(Native.intmill_qparams_create(
            DType, Axis, scales.Length, scales, zeroPoints, out QparamsHandle handle));
        return handle;
    }
}
