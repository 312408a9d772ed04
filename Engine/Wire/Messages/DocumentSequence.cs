namespace Platform.Wire.Messages;

/// <summary>A kind-1 section: documents one after the other, as the engine takes them.</summary>
/// <param name="Name">The command's field that the documents belong to.</param>
/// <param name="Documents">The concatenated documents.</param>
/// <param name="Count">How many there are.</param>
public readonly record struct DocumentSequence(string Name, ReadOnlyMemory<byte> Documents, int Count);
