using MongoDB.Bson;
using Platform.Data.Rules;

namespace Platform.Tests.TestKit.Samples;

/// <summary>A document that breaks one rule.</summary>
/// <param name="Path">The field, see <see cref="FieldRule.Path"/> and <see cref="CrossFieldRule.Path"/>.</param>
/// <param name="Code">The rule.</param>
/// <param name="Document">The document.</param>
public sealed record InvalidSample(string Path, string Code, BsonDocument Document);
