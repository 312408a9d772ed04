namespace Platform.Gateway.Bson;

/// <summary>Bytes that claim to be BSON break its format (https://bsonspec.org/spec.html).</summary>
internal sealed class BsonFormatException(string message) : FormatException(message);
