using MongoDB.Bson;
using Platform.Data.Catalogue;
using Platform.Migrator.Indexes;
using Xunit;

namespace Platform.Tests.Unit.Migrator.Indexes;

public sealed class IndexMaintenanceTests
{
    [Fact]
    public void Each_index_is_kept_hidden_dropped_or_built_again_for_a_reason()
    {
        var state = new CollectionState
        {
            Name = CollectionNames.Categories,
            Documents = 1_000_000,
            Indexes =
            [
                .. new[]
                {
                    "{ name: '_id_', key: { _id: 1 } }",
                    "{ name: 'tenant_slug', key: { tenantId: 1, slug: 1 }, unique: true }",
                    "{ name: 'tenant_parent', key: { tenantId: 1, parentId: 1, position: 1 } }",
                    "{ name: 'phone_1', key: { phone: 1 } }",
                    "{ name: 'name_1', key: { name: 1 }, hidden: true }",
                }.Select(BsonDocument.Parse),
            ],
            IndexBytes = new Dictionary<string, long> { ["tenant_slug"] = 90_000_000, ["tenant_parent"] = 900_000_000 },
        };

        var rows = IndexMaintenance.Look(
            CollectionCatalogue.All,
            new Dictionary<string, CollectionState> { [state.Name] = state },
            new Dictionary<string, DateTime> { ["categories.name_1"] = new(2026, 5, 4, 3, 2, 1, DateTimeKind.Utc) });

        Assert.Equal(
            [
                ("_id_", MaintenanceCandidate.Keep),
                ("tenant_slug", MaintenanceCandidate.Keep),
                ("tenant_parent", MaintenanceCandidate.Rebuild),
                ("phone_1", MaintenanceCandidate.Hide),
                ("name_1", MaintenanceCandidate.Drop),
            ],
            rows.Select(row => (row.Index, row.Candidate)));
        Assert.Contains("900 bytes", rows[2].Reason, StringComparison.Ordinal);
        Assert.Contains("2026-05-04 03:02 UTC", rows[4].Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void An_empty_collection_is_within_its_budget() =>
        Assert.All(CollectionCatalogue.All.SelectMany(definition => definition.Indexes), index => Assert.True(index.Budget(0) >= 64 * 1024));
}
