using Microsoft.Extensions.Options;
using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Data.Tenancy;

namespace Platform.Api.Migrations;

/// <summary>
/// Reads the history, or the view of it that <see cref="MigrationCheckOptions.Collection"/> names: a few small documents, without what was
/// done at each attempt.
/// </summary>
/// <param name="database">The database.</param>
/// <param name="options">Where they are.</param>
internal sealed class RecordedMigrations(PlatformDatabase database, IOptions<MigrationCheckOptions> options) : IRecordedMigrations
{
    // { _id: "0002_order_item_count", number: 2, state: "applied", isBreaking: false, ... }; the catalogue's own record has the number 0.
    private static readonly BsonDocument s_migrations = new("number", new BsonDocument("$gt", 0));
    private static readonly BsonDocument s_fields = new() { { "state", 1 }, { "isBreaking", 1 } };

    public async Task<IReadOnlyList<RecordedMigration>> ReadAsync(CancellationToken cancellationToken)
    {
        var records = await database.Database.GetCollection<BsonDocument>(options.Value.Collection)
            .Find(s_migrations).Project(s_fields).ToListAsync(cancellationToken);
        return
        [
            .. records.Select(record => new RecordedMigration(
                record["_id"].AsString, record.GetValue("state", "").AsString, record.GetValue("isBreaking", false).ToBoolean())),
        ];
    }
}
