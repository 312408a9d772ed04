using MongoDB.Bson;

namespace Platform.Data.Catalogue;

/// <summary>How strings are compared. All of it is sent when a collection is made, so that a server lists nothing but what is declared here.</summary>
/// <remarks><see href="https://www.mongodb.com/docs/manual/reference/collation/"/></remarks>
public sealed record CollationDefinition
{
    /// <summary>The language, as ICU names it.</summary>
    public required string Locale { get; init; }

    /// <summary>Which differences count, from 1, only letters, to 5, everything. Default: 3, case as well.</summary>
    public int Strength { get; init; } = 3;

    /// <summary>Whether case counts at strengths 1 and 2. Default: false.</summary>
    public bool CaseLevel { get; init; }

    /// <summary>Which case comes first: <c>upper</c>, <c>lower</c> or <c>off</c>. Default: <c>off</c>.</summary>
    public string CaseFirst { get; init; } = "off";

    /// <summary>Whether digits are compared as numbers. Default: false.</summary>
    public bool NumericOrdering { get; init; }

    /// <summary>Whether spaces and punctuation count: <c>non-ignorable</c> or <c>shifted</c>. Default: <c>non-ignorable</c>.</summary>
    public string Alternate { get; init; } = "non-ignorable";

    /// <summary>What <c>shifted</c> leaves out: <c>punct</c> or <c>space</c>. Default: <c>punct</c>.</summary>
    public string MaxVariable { get; init; } = "punct";

    /// <summary>Whether strings are normalised first. Default: false.</summary>
    public bool Normalization { get; init; }

    /// <summary>Whether accents are compared from the end. Default: false.</summary>
    public bool Backwards { get; init; }

    /// <summary>The document as the <c>create</c> command takes it and <c>listCollections</c> gives it back.</summary>
    public BsonDocument ToBson() => new()
    {
        { "locale", Locale }, { "caseLevel", CaseLevel }, { "caseFirst", CaseFirst }, { "strength", Strength }, { "numericOrdering", NumericOrdering },
        { "alternate", Alternate }, { "maxVariable", MaxVariable }, { "normalization", Normalization }, { "backwards", Backwards },
    };

    /// <summary>Reads what <see cref="ToBson"/> made.</summary>
    /// <param name="collation">The document.</param>
    internal static CollationDefinition Of(BsonDocument collation) => new()
    {
        Locale = collation["locale"].AsString,
        CaseLevel = collation["caseLevel"].AsBoolean,
        CaseFirst = collation["caseFirst"].AsString,
        Strength = collation["strength"].ToInt32(),
        NumericOrdering = collation["numericOrdering"].AsBoolean,
        Alternate = collation["alternate"].AsString,
        MaxVariable = collation["maxVariable"].AsString,
        Normalization = collation["normalization"].AsBoolean,
        Backwards = collation["backwards"].AsBoolean,
    };
}
