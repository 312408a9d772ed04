namespace Platform.Wire.Scram;

/// <summary>The other side of a login said something that SCRAM does not have, or proved nothing.</summary>
public sealed class ScramException(string message) : Exception(message);
