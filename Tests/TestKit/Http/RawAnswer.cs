namespace Platform.Tests.TestKit.Http;

/// <summary>An HTTP answer as it came over the connection.</summary>
/// <param name="Status">The status code.</param>
/// <param name="Headers">The headers; those that came twice are joined by commas.</param>
/// <param name="Body">The body.</param>
public sealed record RawAnswer(int Status, IReadOnlyDictionary<string, string> Headers, byte[] Body)
{
    /// <summary>A header; empty when it did not come.</summary>
    /// <param name="name">Its name.</param>
    public string this[string name] => Headers.GetValueOrDefault(name, "");

    /// <summary>Whether the server closes the connection.</summary>
    public bool Closes => this["Connection"].Contains("close", StringComparison.OrdinalIgnoreCase);
}
