using MongoDB.Bson;
using Platform.Data.Rules;

namespace Platform.Data.Validation;

/// <summary>The server refused a document because another one has its unique key.</summary>
/// <param name="collection">The collection.</param>
/// <param name="index">The unique index.</param>
/// <param name="key">
/// The key without the tenant: the values of the refused document; null for a value that is not known. Empty when the index is not known.
/// </param>
/// <param name="inner">What the driver threw.</param>
public sealed class DuplicateKeyException(string collection, string index, IReadOnlyDictionary<string, BsonValue?> key, Exception inner)
    : Exception($"Another document of {collection} has the same {(key.Count == 0 ? "key" : string.Join(", ", key.Keys))}.", inner)
{
    /// <summary>The collection.</summary>
    public string Collection { get; } = collection;

    /// <summary>The unique index.</summary>
    public string Index { get; } = index;

    /// <summary>The fields of the key without the tenant, with the refused document's values; null for a value that is not known.</summary>
    public IReadOnlyDictionary<string, BsonValue?> Key { get; } = key;

    /// <summary>The key as violations: one entry for each of its fields.</summary>
    public IReadOnlyList<RuleViolation> Violations =>
        [.. Key.Keys.Select(name => new RuleViolation(JsonPointer.Member("", name), RuleCodes.Duplicate, "Is taken by another document."))];
}
