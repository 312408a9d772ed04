using System.Text.Json.Serialization;

namespace Platform.Api.Problems;

/// <summary>
/// One wrong place of a request, or of the data that it would have written: an entry of <c>errors</c>.
/// </summary>
/// <param name="Code">What is wrong, for programs.</param>
/// <param name="Detail">What is wrong, as a sentence for people.</param>
public sealed record ProblemError(string Code, string Detail)
{
    /// <summary>
    /// The place in the body, as a JSON pointer (<see href="https://www.rfc-editor.org/rfc/rfc6901"/>); empty for the
    /// whole body.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    [JsonPropertyOrder(-1)]
    public string? Pointer { get; init; }

    /// <summary>The parameter of the path or the query, when the place is not in the body.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    [JsonPropertyOrder(-1)]
    public string? Parameter { get; init; }

    /// <summary>The header, when the place is not in the body.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    [JsonPropertyOrder(-1)]
    public string? Header { get; init; }
}
