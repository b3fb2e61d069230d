using System.Runtime.InteropServices;

namespace Intmill;

/// <summary>A graph with weights, in float or quantized. It never changes: any thread may use it. Objects
/// may be disposed in any order, since each keeps alive what it needs; one that was forgotten is given back
/// by the garbage collector.</summary>
public sealed class Model : IDisposable
{
    private readonly ModelHandle handle;

    private Model(ModelHandle handle, Options? options)
    {
        this.handle = handle;
        handle.Listeners = options?.Listeners;
    }

    internal ModelHandle Handle => handle.Live();

    /// <summary>What goes in.</summary>
    public IReadOnlyList<Port> Inputs => Ports(Side.Input);

    /// <summary>What comes out.</summary>
    public IReadOnlyList<Port> Outputs => Ports(Side.Output);

    /// <summary>Loads an ONNX or .im file. The latter is mapped: replace it by renaming, never in place.
    /// </summary>
    public static Model Load(string path, Options? options = null)
    {
        using OptionsHandle bag = Options.Create(options);
        IntmillException.ThrowIfFailed(
            Native.intmill_model_load(IntmillException.Checked(path), bag, out ModelHandle model));
        return new Model(model, options);
    }

    /// <summary>Loads a model file from memory, which stays pinned until nothing needs it: do not write
    /// into it.</summary>
    public static unsafe Model Load(ReadOnlyMemory<byte> file, Options? options = null)
    {
        using OptionsHandle bag = Options.Create(options);
        nint pin = Pin.Create(MemoryMarshal.AsMemory(file), out nint data);
        Status status = Native.intmill_model_load_memory(
            data, file.Length, &Pin.Free, pin, bag, out ModelHandle model);
        if (status != Status.Ok)
        {
            Pin.Release(pin); // nothing was taken over
        }
        IntmillException.ThrowIfFailed(status);
        return new Model(model, options);
    }

    /// <summary>Writes an .im file, or ONNX where Format is "onnx". It appears whole or not at all.</summary>
    public void Save(string path, Options? options = null)
    {
        using OptionsHandle bag = Options.Create(options);
        IntmillException.ThrowIfFailed(
            Native.intmill_model_save(Handle, IntmillException.Checked(path), bag));
    }

    /// <summary>The bytes of that file, as a tensor of type U8.</summary>
    public Tensor ToTensor(Options? options = null)
    {
        using OptionsHandle bag = Options.Create(options);
        IntmillException.ThrowIfFailed(
            Native.intmill_model_save_memory(Handle, bag, out TensorHandle file));
        return new Tensor(file);
    }

    /// <summary>Layers or Metadata.</summary>
    public Report Report(ReportKind kind)
    {
        IntmillException.ThrowIfFailed(Native.intmill_model_report(Handle, kind, out ReportHandle report));
        return Intmill.Report.Take(report);
    }

    /// <summary>The same model with one more fact in its metadata; an empty value removes the key.</summary>
    public Model Annotate(string key, string value)
    {
        IntmillException.ThrowIfFailed(Native.intmill_model_annotate(Handle,
            IntmillException.Checked(key), IntmillException.Checked(value), out ModelHandle annotated));
        return new Model(annotated, null);
    }

    /// <summary>The same model with a certificate of what a Probe.Certify of it found.</summary>
    public Model Certify(Probe certifying)
    {
        IntmillException.ThrowIfFailed(
            Native.intmill_model_certify(Handle, certifying.Handle, out ModelHandle certified));
        return new Model(certified, null);
    }

    /// <summary>The 8-bit model of this float model, with the ranges that a calibration saw; null where no
    /// layer's scheme is Static.</summary>
    public Model Quantize(Probe? calibration, Options? options = null)
    {
        using OptionsHandle bag = Options.Create(options);
        using var none = new ProbeHandle();
        IntmillException.ThrowIfFailed(Native.intmill_quantize(
            Handle, calibration?.Handle ?? none, bag, out ModelHandle quantized));
        return new Model(quantized, options);
    }

    /// <summary>An equal float model whose channels have weights of like size on both sides, for one scale a
    /// weight. Calibrate it afterwards.</summary>
    public Model Equalize(Options? options = null)
    {
        using OptionsHandle bag = Options.Create(options);
        IntmillException.ThrowIfFailed(Native.intmill_equalize(Handle, bag, out ModelHandle equalized));
        return new Model(equalized, options);
    }

    /// <summary>An equal float model without outlier channels (SmoothQuant). Calibrate it anew.</summary>
    public Model Smooth(Probe calibration, Options? options = null)
    {
        using OptionsHandle bag = Options.Create(options);
        IntmillException.ThrowIfFailed(
            Native.intmill_smooth(Handle, calibration.Handle, bag, out ModelHandle smoothed));
        return new Model(smoothed, options);
    }

    /// <summary>Gives the model back.</summary>
    public void Dispose() => handle.Dispose();

    private Port[] Ports(Side side)
    {
        var ports = new Port[Native.intmill_model_port_count(Handle, side)];
        for (int i = 0; i < ports.Length; ++i)
        {
            ports[i] = Port(side, i);
        }
        return ports;
    }

    private unsafe Port Port(Side side, int index)
    {
        using var hold = new Hold(Handle);
        var port = new RawPort { StructSize = (uint)sizeof(RawPort) };
        IntmillException.ThrowIfFailed(Native.intmill_model_port(Handle, side, index, ref port));
        long[]? shape = port.Rank < 0
            ? null
            : new ReadOnlySpan<long>((void*)port.Dims, (int)port.Rank).ToArray();
        return new Port(Marshal.PtrToStringUTF8(port.Name)!, port.Dtype, shape);
    }
}
