using Platform.Data.Catalogue;
using Platform.Data.Rules;

namespace Platform.Data.Validation;

/// <summary>
/// Which rules the servers enforce. All are declared in the validators as MongoDB takes them; what is listed here is where a
/// server differs. A test writes a document that breaks it for every rule, and fails when this list says too much or too little.
/// </summary>
public static class EngineSupport
{
    /// <summary>Rules that no document on any server can break.</summary>
    public static IReadOnlyList<RuleException> CannotBeBroken { get; } =
        [new("*", "_id", RuleCodes.Required, "Servers give a document that has no _id one before they check it.")];

    /// <summary>Rules that DocumentDB behind the gateway does not enforce.</summary>
    public static IReadOnlyList<RuleException> NotOnDocumentDb { get; } = [];

    /// <summary>Why no server enforces any rule of a collection; null when they do.</summary>
    /// <remarks>
    /// An engine without time series keeps measurements as plain documents, and then checks them.
    /// <see href="https://www.mongodb.com/docs/manual/core/timeseries/timeseries-limitations/"/>
    /// </remarks>
    /// <param name="collection">The collection.</param>
    public static string? WhyUnchecked(CollectionDefinition collection)
    {
        ArgumentNullException.ThrowIfNull(collection);
        return collection.TimeSeries is null ? null : "a time series has no validator";
    }

    /// <summary>The keywords of <c>$jsonSchema</c> that MongoDB enforces, of those that its manual lists.</summary>
    /// <remarks><see href="https://www.mongodb.com/docs/manual/reference/operator/query/jsonSchema/#available-keywords"/></remarks>
    public static IReadOnlySet<string> MongoDbKeywords { get; } = new HashSet<string>(StringComparer.Ordinal)
    {
        "additionalItems", "additionalProperties", "allOf", "anyOf", "bsonType", "dependencies", "description", "enum", "exclusiveMaximum",
        "exclusiveMinimum", "items", "maximum", "maxItems", "maxLength", "maxProperties", "minimum", "minItems", "minLength", "minProperties",
        "multipleOf", "not", "oneOf", "pattern", "patternProperties", "properties", "required", "title", "type", "uniqueItems",
    };
}
