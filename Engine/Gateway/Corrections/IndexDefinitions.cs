using MongoDB.Bson;
using Platform.Wire.Bson;

namespace Platform.Gateway.Corrections;

/// <summary>Definitions of indexes, as the backend takes and tells them.</summary>
/// <remarks>
/// <list type="bullet">
/// <item>It can hide an index but not make a hidden one. May go when <c>{createIndexes: "c", indexes: [{key: {a: 1}, name: "a", hidden: true}]}</c> makes an
/// index that listIndexes shows as hidden.</item>
/// <item>It knows no collation, of which <c>simple</c> is none. May go when it takes <c>collation: {locale: "simple"}</c> there.</item>
/// <item>It counts what is no use by a query (<see cref="Backend.Statements.IndexUses"/>). May go when <c>$indexStats</c> shows 0 for an index of
/// <c>{a: 1, b: 1}</c>, unique or not, after documents were inserted and found by <c>_id</c>.</item>
/// <item>It tells of options of its own, which no server takes back. May go when listIndexes shows no <c>storageEngine</c> and <c>$indexStats</c> no
/// <c>spec.enableOrderedIndex</c>.</item>
/// </list>
/// </remarks>
internal static class IndexDefinitions
{
    /// <summary>A createIndexes command as the backend has to get it, and the names of the indexes to hide afterwards.</summary>
    public static ReadOnlyMemory<byte> InCommand(RawDocument command, out List<string> hidden)
    {
        hidden = [];
        var touched = command.Bytes.Span.IndexOf("hidden"u8) >= 0 || command.Bytes.Span.IndexOf("collation"u8) >= 0;
        if (!touched)
        {
            return BsonBuilder.Without(command, "commitQuorum");
        }

        var tree = command.ToTree();
        tree.Remove("commitQuorum");
        foreach (var index in tree.GetValue("indexes", new BsonArray()) is BsonArray list ? list.OfType<BsonDocument>() : [])
        {
            if (index.TryGetValue("hidden", out var hide))
            {
                index.Remove("hidden");
                if (hide.ToBoolean() && index.TryGetValue("name", out var name))
                {
                    hidden.Add(name.AsString);
                }
            }

            if (index.TryGetValue("collation", out var collation)
                && collation is BsonDocument { ElementCount: 1 } only
                && only.GetValue("locale", "") == "simple")
            {
                index.Remove("collation");
            }
        }

        return tree.ToRaw();
    }

    /// <summary>A definition in the form in which a server takes it back.</summary>
    public static ReadOnlyMemory<byte> InListing(RawDocument index) => BsonBuilder.Without(index, "storageEngine");

    /// <summary>
    /// The aggregation with stages after its first, which take away what the backend adds to the definitions of indexes, and put the uses by queries in
    /// the place of PostgreSQL's scans.
    /// </summary>
    public static RawDocument InStatistics(RawDocument aggregate, IReadOnlyList<(string Name, long Uses)> uses)
    {
        List<BsonDocument> corrections = [new BsonDocument("$unset", "spec.enableOrderedIndex")];
        if (uses.Count > 0)
        {
            var branches = uses.Select(index => new BsonDocument
            {
                { "case", new BsonDocument("$eq", new BsonArray { "$name", new BsonDocument("$literal", index.Name) }) },
                { "then", new BsonDocument("$literal", index.Uses) },
            });
            corrections.Add(new BsonDocument("$set", new BsonDocument("accesses.ops", new BsonDocument("$switch", new BsonDocument
            {
                { "branches", new BsonArray(branches) }, { "default", "$accesses.ops" },
            }))));
        }

        return PipelineCorrection.AfterFirst(aggregate, corrections);
    }
}
