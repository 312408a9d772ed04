namespace Platform.Wire.Bson;

/// <summary>Bytes that claim to be BSON break its format (https://bsonspec.org/spec.html).</summary>
public sealed class BsonFormatException(string message) : FormatException(message);
