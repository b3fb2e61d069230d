using System.Runtime.CompilerServices;
using Xunit;
using static Intmill.Tests.Fixtures;

namespace Intmill.Tests;

public class TensorTests
{
    [Fact]
    public void HoldsACopyOfAnArray()
    {
        float[] values = [1, 2, 3, 4, 5, 6];
        using Tensor t = Tensor.Of<float>(values, 2, 3);
        values[0] = 9;
        Assert.Equal([1, 2, 3, 4, 5, 6], t.ToArray<float>());
        Assert.Equal([2, 3], t.Shape);
        Assert.Equal(DType.F32, t.DType);
        Assert.Equal(24, t.Bytes);
    }

    [Fact]
    public void MayBeOneValueOrEmpty()
    {
        using Tensor one = Tensor.Of<int>([7]);
        Assert.Empty(one.Shape);
        Assert.Equal(7, one.Read<int>()[0]);
        using Tensor none = Tensor.Zeros<float>(0, 3);
        Assert.Equal(0, none.Read<float>().Length);
    }

    [Fact]
    public void RefusesShapesValuesAndTypesThatDoNotFit()
    {
        Refused(Status.InvalidArgument, "-1", () => Tensor.Zeros<float>(-1, 3));
        Refused(Status.InvalidArgument, "rank", () => Tensor.Zeros<float>(new long[13]));
        Refused(Status.InvalidArgument, "bytes", () => Tensor.Of<float>(new float[5], 2, 3));
        Refused(Status.InvalidArgument, "", () => Tensor.Zeros<float>(long.MaxValue, long.MaxValue));
        Assert.Throws<NotSupportedException>(() => Tensor.Zeros<double>(3));
        using Tensor t = Tensor.Zeros<float>(3);
        Assert.Throws<InvalidCastException>(() => t.Read<int>().Length);
    }

    [Fact]
    public void SharesTheMemoryItWraps()
    {
        var array = new float[4];
        using Tensor t = Tensor.Wrap<float>(array.AsMemory(1), 3);
        array[2] = 5;
        Assert.Equal([0, 5, 0], t.ToArray<float>());
        t.Write<float>()[0] = 7;
        Assert.Equal(7, array[1]);
    }

    [Fact]
    public unsafe void IsAlignedForTheKernels()
    {
        using Tensor t = Tensor.Zeros<sbyte>(3);
        fixed (sbyte* data = t.Read<sbyte>())
        {
            Assert.Equal(0, (nint)data % 64);
        }
    }

    [Fact]
    public void ItsSpanOutlivesIt()
    {
        Tensor t = Tensor.Of<float>([1, 2, 3], 3);
        Span<float> span = t.Write<float>();
        t.Dispose();
        Collect();
        Assert.Equal(3, span[2]);
        span[2] = 4;
    }

    [Fact]
    public void KeepsWrappedMemoryAliveAndLetsItGo()
    {
        (Tensor t, WeakReference weak) = WrapSomething();
        Collect();
        Assert.True(weak.IsAlive);
        t.Dispose();
        Collect();
        Assert.False(weak.IsAlive);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static (Tensor Tensor, WeakReference Array) WrapSomething()
    {
        var array = new float[3];
        return (Tensor.Wrap<float>(array, 3), new WeakReference(array));
    }

    [Fact]
    public void QuantizesAsTheFormulaSays()
    {
        var parameters = new QParams(DType.S8, 0.5f, 10);
        using Tensor x = Tensor.Of<float>([0.24f, 0.75f, 1.25f, -100f], 4);
        using Tensor q = x.Quantize(parameters);
        using Tensor back = q.Dequantize();
        using Tensor fake = x.FakeQuantize(parameters);
        Assert.Equal([10, 12, 12, -128], q.ToArray<sbyte>());
        Assert.Equal([0, 1, 1, -69], back.ToArray<float>());
        Assert.Equal(back.ToArray<float>(), fake.ToArray<float>());
        Assert.Equal(0.5f, q.QParams!.Scales[0]);
        Assert.Null(x.QParams);
        Assert.Equal(31, x.Compare(q).MaxAbs, 6);
        Refused(Status.InvalidArgument, "", () => x.Dequantize());
        Assert.Throws<InvalidOperationException>(() => q.Write<sbyte>().Length);
    }

    [Fact]
    public void ChoosesParametersForAnAxis()
    {
        using Tensor x = Tensor.Of<float>([1, 2, 4, 8], 2, 2);
        QParams chosen = QParams.Choose(x, 0);
        Assert.Equal(0, chosen.Axis);
        Assert.Equal(8 / 127f, chosen.Scales[1], 6);
        Refused(Status.InvalidArgument, "axis", () => QParams.Choose(x, 2));
    }

    [Fact]
    public void AfterDisposeEveryUseIsRefused()
    {
        Tensor t = Tensor.Zeros<float>(3);
        t.Dispose();
        t.Dispose();
        Assert.Throws<ObjectDisposedException>(() => t.DType);
        Assert.Throws<ObjectDisposedException>(() => t.Shape);
        Assert.Throws<ObjectDisposedException>(() => t.Bytes);
        Assert.Throws<ObjectDisposedException>(() => t.QParams);
        Assert.Throws<ObjectDisposedException>(() => t.Read<float>().Length);
        Assert.Throws<ObjectDisposedException>(() => t.Write<float>().Length);
        Assert.Throws<ObjectDisposedException>(() => t.Compare(t));
    }
}
