namespace Intmill;

/// <summary>An input or output of a model.</summary>
/// <param name="Name">Never empty, unique on its side.</param>
/// <param name="DType">The element type that a tensor for it must have.</param>
/// <param name="Shape">Its sizes, -1 where one is decided when the model runs; null when even their number
/// is.</param>
public sealed record Port(string Name, DType DType, IReadOnlyList<long>? Shape);
