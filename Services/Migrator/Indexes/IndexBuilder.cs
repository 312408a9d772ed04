using System.Globalization;
using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Data.Catalogue;
using Platform.Data.Leases;

namespace Platform.Migrator.Indexes;

/// <summary>Builds, changes, hides and drops indexes. Each step stands for itself: what was stopped is found by the next comparison.</summary>
/// <param name="database">The database.</param>
/// <param name="time">The clock for durations and for how long an index has been hidden.</param>
internal sealed class IndexBuilder(IMongoDatabase database, TimeProvider time)
{
    private IMongoCollection<HiddenIndex> Hidden => database.GetCollection<HiddenIndex>(CollectionNames.HiddenIndexes);

    /// <summary>Does what a difference needs, as far as it is allowed.</summary>
    /// <param name="change">The difference.</param>
    /// <param name="removal">What may be dropped.</param>
    /// <param name="cancellationToken">Cancels the command; a server may end a build that has begun all the same.</param>
    public async Task<IndexOutcome> ApplyAsync(IndexChange change, IndexRemoval removal, CancellationToken cancellationToken)
    {
        Lease.RequireHeld();
        var started = time.GetTimestamp();
        var (outcome, reason) = change.Kind switch
        {
            IndexChangeKind.Missing => await CreateAsync(change.Collection, change.Definition!, cancellationToken),
            IndexChangeKind.Adjusted => await AdjustAsync(change, cancellationToken),
            IndexChangeKind.Changed => removal.Allowed
                ? await ReplaceAsync(change.Collection, change.Definition!, $"its {change.Difference} differed", cancellationToken)
                : (IndexOutcomeKind.Left, $"its {change.Difference} differs; give --allow-drop to drop it and build it again"),
            _ => await RemoveAsync(change, removal, cancellationToken),
        };
        return new IndexOutcome(change.Collection, change.Index, outcome, reason, time.GetElapsedTime(started).TotalMilliseconds);
    }

    /// <summary>Drops an index and builds it again, so that it is as small as it can be.</summary>
    /// <param name="collection">The collection.</param>
    /// <param name="definition">The index.</param>
    /// <param name="cancellationToken">Cancels the commands.</param>
    public async Task<IndexOutcome> RebuildAsync(string collection, IndexDefinition definition, CancellationToken cancellationToken)
    {
        Lease.RequireHeld();
        var started = time.GetTimestamp();
        var (outcome, reason) = await ReplaceAsync(collection, definition, "asked for", cancellationToken);
        return new IndexOutcome(collection, definition.Name, outcome, reason, time.GetElapsedTime(started).TotalMilliseconds);
    }

    /// <summary>Lets queries see an index again.</summary>
    /// <param name="collection">The collection.</param>
    /// <param name="index">The index's name.</param>
    /// <param name="cancellationToken">Cancels the commands.</param>
    public async Task<IndexOutcome> RestoreAsync(string collection, string index, CancellationToken cancellationToken)
    {
        Lease.RequireHeld();
        var started = time.GetTimestamp();
        await SetHiddenAsync(collection, index, hidden: false, cancellationToken);
        await ForgetAsync(collection, index, cancellationToken);
        return new IndexOutcome(collection, index, IndexOutcomeKind.Restored, "asked for", time.GetElapsedTime(started).TotalMilliseconds);
    }

    /// <summary>Since when indexes are hidden, by collection and index with a dot between them.</summary>
    /// <param name="cancellationToken">Cancels the query.</param>
    public async Task<IReadOnlyDictionary<string, DateTime>> ReadHiddenAsync(CancellationToken cancellationToken)
    {
        var all = await Hidden.Find(FilterDefinition<HiddenIndex>.Empty).ToListAsync(cancellationToken);
        return all.ToDictionary(index => index.Id, index => index.HiddenAt, StringComparer.Ordinal);
    }

    private async Task<(IndexOutcomeKind Outcome, string Reason)> CreateAsync(
        string collection, IndexDefinition definition, CancellationToken cancellationToken)
    {
        await RunAsync(definition.CreateCommand(collection), cancellationToken);
        return (IndexOutcomeKind.Created, definition.Serves);
    }

    private async Task<(IndexOutcomeKind Outcome, string Reason)> AdjustAsync(IndexChange change, CancellationToken cancellationToken)
    {
        if (change.Difference == "hidden")
        {
            await SetHiddenAsync(change.Collection, change.Index, hidden: false, cancellationToken);
            await ForgetAsync(change.Collection, change.Index, cancellationToken);
            return (IndexOutcomeKind.Restored, "it was hidden, and the catalogue declares it");
        }

        var seconds = (long)change.Definition!.ExpireAfter!.Value.TotalSeconds;
        await RunAsync(
            new BsonDocument
            {
                { "collMod", change.Collection },
                { "index", new BsonDocument { { "name", change.Index }, { "expireAfterSeconds", seconds } } },
            },
            cancellationToken);
        return (IndexOutcomeKind.Adjusted, string.Create(CultureInfo.InvariantCulture, $"documents now expire after {seconds} seconds"));
    }

    private async Task<(IndexOutcomeKind Outcome, string Reason)> ReplaceAsync(
        string collection, IndexDefinition definition, string reason, CancellationToken cancellationToken)
    {
        await DropAsync(collection, definition.Name, cancellationToken);
        await RunAsync(definition.CreateCommand(collection), cancellationToken);
        return (IndexOutcomeKind.Replaced, reason);
    }

    private async Task<(IndexOutcomeKind Outcome, string Reason)> RemoveAsync(IndexChange change, IndexRemoval removal, CancellationToken cancellationToken)
    {
        if (!removal.Allowed)
        {
            return (IndexOutcomeKind.Left, "the catalogue does not declare it; give --allow-drop to hide it now and drop it at a later run");
        }

        if (removal.AtOnce)
        {
            await DropAsync(change.Collection, change.Index, cancellationToken);
            return (IndexOutcomeKind.Dropped, "the catalogue does not declare it");
        }

        if (!change.IsHidden)
        {
            try
            {
                await SetHiddenAsync(change.Collection, change.Index, hidden: true, cancellationToken);
            }
            catch (MongoCommandException exception) when (ServerLimits.IsUnsupported(exception))
            {
                return (IndexOutcomeKind.Left, $"this server cannot hide indexes ({exception.Message}); give --no-hide to drop it at once");
            }
        }

        var since = await RememberAsync(change, cancellationToken);
        if (!change.IsHidden)
        {
            return (IndexOutcomeKind.Hidden, $"the catalogue does not declare it; dropped by a run from {Moment(since + removal.HiddenFor)} on");
        }

        if (time.GetUtcNow().UtcDateTime < since + removal.HiddenFor)
        {
            return (IndexOutcomeKind.Left, $"hidden since {Moment(since)}; dropped by a run from {Moment(since + removal.HiddenFor)} on");
        }

        await DropAsync(change.Collection, change.Index, cancellationToken);
        return (IndexOutcomeKind.Dropped, $"hidden since {Moment(since)}, and nobody missed it");
    }

    // The first to hide it counts, also when somebody did so by hand.
    private async Task<DateTime> RememberAsync(IndexChange change, CancellationToken cancellationToken)
    {
        if (await Hidden.Find(index => index.Id == change.Name).FirstOrDefaultAsync(cancellationToken) is { } known)
        {
            return known.HiddenAt;
        }

        var now = new BsonDateTime(time.GetUtcNow().UtcDateTime).ToUniversalTime();
        await Hidden.InsertOneAsync(
            new HiddenIndex { Id = change.Name, HiddenAt = now, Host = Environment.MachineName, Specification = change.Existing! },
            cancellationToken: cancellationToken);
        return now;
    }

    private Task<DeleteResult> ForgetAsync(string collection, string index, CancellationToken cancellationToken) =>
        Hidden.DeleteOneAsync(hidden => hidden.Id == $"{collection}.{index}", cancellationToken);

    private async Task DropAsync(string collection, string index, CancellationToken cancellationToken)
    {
        await RunAsync(new BsonDocument { { "dropIndexes", collection }, { "index", index } }, cancellationToken);
        await ForgetAsync(collection, index, cancellationToken);
    }

    // https://www.mongodb.com/docs/manual/core/index-hidden/
    private Task<BsonDocument> SetHiddenAsync(string collection, string index, bool hidden, CancellationToken cancellationToken) => RunAsync(
        new BsonDocument { { "collMod", collection }, { "index", new BsonDocument { { "name", index }, { "hidden", hidden } } } }, cancellationToken);

    private Task<BsonDocument> RunAsync(BsonDocument command, CancellationToken cancellationToken) =>
        database.RunCommandAsync<BsonDocument>(command, ReadPreference.Primary, cancellationToken);

    private static string Moment(DateTime utc) => utc.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture) + " UTC";
}
