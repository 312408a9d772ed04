using System.Reflection;
using Platform.Data.Catalogue;
using Platform.Data.Validation;

namespace Platform.Tests.TestKit.Samples;

/// <summary>
/// Everything that the catalogue's types let one declare, as <c>Type.Property</c>. A property that is added to them is here at once, and whatever tests
/// all of these fails until it tests that one, or it is said here why no server keeps it.
/// </summary>
internal static class CatalogueProperties
{
    private static readonly Type[] s_types =
    [
        typeof(CollectionDefinition), typeof(CollectionValidation), typeof(TimeSeriesDefinition), typeof(CollationDefinition), typeof(CappedDefinition),
        typeof(ViewDefinition), typeof(IndexDefinition), typeof(IndexVariant), typeof(IndexKey),
    ];

    /// <summary>What a database does not keep, and why.</summary>
    public static IReadOnlyDictionary<string, string> NotKept { get; } = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["CollectionDefinition.Description"] = "It is for people.",
        ["CollectionDefinition.KeyQueries"] = "They are asked, not kept.",
        ["CollectionDefinition.ShardKey"] = "It says what a cluster would be sharded by, which the migrator does not do.",
        ["TimeSeriesDefinition.Queries"] = "They are asked, not kept.",
        ["IndexDefinition.Serves"] = "It is for people.",
        ["IndexDefinition.Queries"] = "They are asked, not kept.",
        ["IndexDefinition.TenantException"] = "It is for people.",
        ["IndexDefinition.CommitQuorum"] = "It is about the build.",
        ["IndexDefinition.BytesPerDocument"] = "It is a budget.",
        ["IndexDefinition.IsCostly"] = "It is about the build.",
        ["IndexVariant.Reason"] = "It is for people.",
    };

    /// <summary>What a database keeps, so that it can be changed there by hand.</summary>
    public static IReadOnlyList<string> Kept { get; } =
    [
        .. s_types.SelectMany(type => type.GetProperties(BindingFlags.Public | BindingFlags.Instance)
                .Where(property => property.CanWrite)
                .Select(property => $"{type.Name}.{property.Name}"))
            .Where(name => !NotKept.ContainsKey(name)),
    ];
}
