using System.Collections;
using System.Runtime.InteropServices;

namespace Intmill;

/// <summary>The outputs of one run, in the model's order; disposing it disposes them.</summary>
public sealed class Result : IReadOnlyList<Tensor>, IDisposable
{
    private readonly IReadOnlyList<Port> ports;
    private readonly Tensor[] tensors;

    internal Result(IReadOnlyList<Port> ports, nint[] made)
    {
        this.ports = ports;
        tensors = new Tensor[made.Length];
        for (int i = 0; i < made.Length; ++i)
        {
            var handle = new TensorHandle();
            Marshal.InitHandle(handle, made[i]);
            tensors[i] = new Tensor(handle);
        }
    }

    /// <summary>Number of outputs.</summary>
    public int Count => tensors.Length;

    /// <summary>An output by its place.</summary>
    public Tensor this[int index] => tensors[index];

    /// <summary>An output by its name.</summary>
    public Tensor this[string name]
    {
        get
        {
            for (int i = 0; i < ports.Count; ++i)
            {
                if (ports[i].Name == name)
                {
                    return tensors[i];
                }
            }
            throw new KeyNotFoundException(
                $"no output {name} among {string.Join(", ", ports.Select(port => port.Name))}");
        }
    }

    /// <inheritdoc/>
    public IEnumerator<Tensor> GetEnumerator() => ((IEnumerable<Tensor>)tensors).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => tensors.GetEnumerator();

    /// <summary>Gives all outputs back.</summary>
    public void Dispose()
    {
        foreach (Tensor tensor in tensors)
        {
            tensor.Dispose();
        }
    }
}
