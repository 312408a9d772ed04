using System.Globalization;
using MongoDB.Bson;
using MongoDB.Driver;

namespace Platform.Migrator.Indexes;

/// <summary>Reads the slow queries that the server's profiler kept, of all members.</summary>
/// <param name="database">The database.</param>
internal sealed class ProfileReader(IMongoDatabase database)
{
    /// <summary>How many of the latest queries are read.</summary>
    public const int Latest = 20_000;

    /// <summary>Reads the latest slow queries.</summary>
    /// <param name="cancellationToken">Cancels the queries.</param>
    /// <returns>The queries, and what the server could not say, a sentence each.</returns>
    public Task<(IReadOnlyList<SlowQuery> Queries, IReadOnlyList<string> Notes)> ReadAsync(CancellationToken cancellationToken) =>
        ReadAsync<SlowQuery>(entry => SlowQuery.Read(entry) is { } query ? [query] : [], "Missing indexes are not looked for", cancellationToken);

    /// <summary>Reads what the latest slow commands were.</summary>
    /// <param name="read">Takes what is wanted from a document of <c>system.profile</c>.</param>
    /// <param name="without">What is left out where there is no profiler, in a few words.</param>
    /// <param name="cancellationToken">Cancels the queries.</param>
    /// <returns>What was taken, and what the server could not say, a sentence each.</returns>
    public async Task<(IReadOnlyList<T> Queries, IReadOnlyList<string> Notes)> ReadAsync<T>(
        Func<BsonDocument, IEnumerable<T>> read, string without, CancellationToken cancellationToken)
    {
        var queries = new List<T>();
        var notes = new List<string>();
        using var members = ReplicaMembers.Of(database);
        foreach (var (member, asked) in members.All)
        {
            try
            {
                var level = await asked.RunCommandAsync<BsonDocument>(new BsonDocument("profile", -1), cancellationToken: cancellationToken);
                if (level["was"].ToInt32() == 0)
                {
                    notes.Add(string.Create(
                        CultureInfo.InvariantCulture,
                        $"The profiler of {member} is off; db.setProfilingLevel(1, {{ slowms: {level.GetValue("slowms", 100)} }}) lets it keep slow queries."));
                }

                using var cursor = await asked.GetCollection<BsonDocument>("system.profile")
                    .Find(FilterDefinition<BsonDocument>.Empty).Sort(new BsonDocument("ts", -1)).Limit(Latest).ToCursorAsync(cancellationToken);
                while (await cursor.MoveNextAsync(cancellationToken))
                {
                    queries.AddRange(cursor.Current.SelectMany(read));
                }
            }
            catch (MongoCommandException exception) when (ServerLimits.IsUnsupported(exception) || ServerLimits.IsUnauthorized(exception))
            {
                notes.Add($"{without}: {member} has no profiler to read ({exception.Message}).");
            }
        }

        return (queries, notes);
    }
}
