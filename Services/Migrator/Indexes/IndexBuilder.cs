using System.Globalization;
using MongoDB.Bson;
using MongoDB.Bson.Serialization.Attributes;
using MongoDB.Driver;
using Platform.Data.Catalogue;
using Platform.Mongo.Leases;

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
            _ when change.NeedsPermission && !removal.Allowed => (IndexOutcomeKind.Left, WhyLeft(change)),
            IndexChangeKind.Missing => await CreateAsync(change, removal, cancellationToken),
            IndexChangeKind.Adjusted => await AdjustAsync(change, cancellationToken),
            IndexChangeKind.Changed or IndexChangeKind.Renamed => await ReplaceAsync(change, removal, cancellationToken),
            IndexChangeKind.Interim => await EndInterimAsync(change, cancellationToken),
            _ => await RemoveAsync(change, removal, cancellationToken),
        };
        return new IndexOutcome(change.Collection, change.Index, outcome, reason, time.GetElapsedTime(started).TotalMilliseconds);
    }

    /// <summary>Builds an index again, so that it is as small as it can be.</summary>
    /// <param name="collection">The collection.</param>
    /// <param name="definition">The index.</param>
    /// <param name="cancellationToken">Cancels the commands.</param>
    public async Task<IndexOutcome> RebuildAsync(string collection, IndexDefinition definition, CancellationToken cancellationToken)
    {
        Lease.RequireHeld();
        var started = time.GetTimestamp();
        var how = await SwapAsync(collection, definition, definition.Name, mayLack: true, cancellationToken);
        return new IndexOutcome(collection, definition.Name, IndexOutcomeKind.Replaced, $"asked for; {how}", time.GetElapsedTime(started).TotalMilliseconds);
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

    /// <summary>Why a difference is left until somebody allows to drop the index.</summary>
    /// <param name="change">The difference.</param>
    public static string WhyLeft(IndexChange change) => change switch
    {
        { Kind: IndexChangeKind.Renamed } =>
            $"it is called {change.ExistingName}, and nothing can stand in for it while it is dropped and built under its name, so that queries lack it; "
                + $"give --allow-drop to do it",
        { ExistingName: var name }
            when name != change.Index => $"{name} stands in its place and differs in its {change.Difference}; give --allow-drop to drop that one and build it",
        _ => $"its {change.Difference} differs; give --allow-drop to drop it and build it again",
    };

    private async Task<(IndexOutcomeKind Outcome, string Reason)> CreateAsync(IndexChange change, IndexRemoval removal, CancellationToken cancellationToken)
    {
        var definition = change.Definition!;
        try
        {
            await RunAsync(definition.CreateCommand(change.Collection), cancellationToken);
            return (IndexOutcomeKind.Created, definition.Serves);
        }
        catch (MongoCommandException exception) when (ServerLimits.IsConflict(exception))
        {
            // Whether a server takes two indexes with the same keys and other options depends on its version.
            var other = (await ReadAsync(change.Collection, cancellationToken)).Find(definition.HasKeysOf)?["name"].AsString;
            if (other is null)
            {
                throw;
            }

            if (!removal.Allowed)
            {
                return (IndexOutcomeKind.Left, $"this server takes no second index with the keys of {other}; give --allow-drop to drop that one and build it");
            }

            return (
                IndexOutcomeKind.Replaced,
                $"it took the place of {other}; {await SwapAsync(change.Collection, definition, other, mayLack: true, cancellationToken)}");
        }
    }

    private async Task<(IndexOutcomeKind Outcome, string Reason)> AdjustAsync(IndexChange change, CancellationToken cancellationToken)
    {
        var done = new List<string>();
        if (change.Differences.Contains("expireAfterSeconds", StringComparer.Ordinal))
        {
            var seconds = (long)change.Definition!.ExpireAfter!.Value.TotalSeconds;
            await ModifyAsync(change.Collection, change.Index, new BsonElement("expireAfterSeconds", seconds), cancellationToken);
            done.Add(string.Create(CultureInfo.InvariantCulture, $"documents now expire after {seconds} seconds"));
        }

        var hidden = change.Differences.Contains("hidden", StringComparer.Ordinal);
        if (hidden)
        {
            await SetHiddenAsync(change.Collection, change.Index, hidden: false, cancellationToken);
            await ForgetAsync(change.Collection, change.Index, cancellationToken);
            done.Add("it was hidden, and the catalogue declares it");
        }

        return (hidden ? IndexOutcomeKind.Restored : IndexOutcomeKind.Adjusted, string.Join("; ", done));
    }

    private async Task<(IndexOutcomeKind Outcome, string Reason)> ReplaceAsync(IndexChange change, IndexRemoval removal, CancellationToken cancellationToken)
    {
        if (await SwapAsync(change.Collection, change.Definition!, change.ExistingName, removal.Allowed, cancellationToken) is not { } how)
        {
            return (IndexOutcomeKind.Left, WhyLeft(change));
        }

        return change.ExistingName == change.Index
            ? (IndexOutcomeKind.Replaced, $"its {change.Difference} differed; {how}")
            : (
                IndexOutcomeKind.Renamed,
                $"it was called {change.ExistingName}{(change.Difference is null ? "" : $", and its {change.Difference} differed")}; {how}");
    }

    // A server takes neither two indexes of one name nor two with the same keys. So that no query and no rule lacks the index while it
    // is built, one with the directions the other way round stands in for it. It is built first: when documents break a rule that is
    // new, nothing was dropped. Stopped anywhere, the next comparison finds what is left to do. Returns how it went; null when nothing
    // was done, as there is no stand-in.
    private async Task<string?> SwapAsync(string collection, IndexDefinition definition, string old, bool mayLack, CancellationToken cancellationToken)
    {
        var standIn = await StandInAsync(collection, definition, cancellationToken);
        if (standIn is null && !mayLack)
        {
            return null;
        }

        Lease.RequireHeld();
        await DropAsync(collection, old, cancellationToken);
        await RunAsync(definition.CreateCommand(collection), cancellationToken);
        if (standIn == definition.InterimName)
        {
            await DropAsync(collection, standIn, cancellationToken);
        }

        return standIn is null ? "queries had to do without it while it was built" : $"{standIn} stood in for it while it was built";
    }

    // The name of an index that stands in; one of another name that does so already stays.
    private async Task<string?> StandInAsync(string collection, IndexDefinition definition, CancellationToken cancellationToken)
    {
        if (definition.Interim() is not { } interim)
        {
            return null;
        }

        var existing = await ReadAsync(collection, cancellationToken);
        if (existing.Find(index => interim.DifferencesFrom(index).Count == 0) is { } there)
        {
            return there["name"].AsString;
        }

        if (existing.Exists(index => index["name"] == interim.Name))
        {
            await DropAsync(collection, interim.Name, cancellationToken);
        }

        try
        {
            await RunAsync(interim.CreateCommand(collection), cancellationToken);
            return interim.Name;
        }
        catch (MongoCommandException exception) when (ServerLimits.IsConflict(exception))
        {
            return null;
        }
    }

    private async Task<(IndexOutcomeKind Outcome, string Reason)> EndInterimAsync(IndexChange change, CancellationToken cancellationToken)
    {
        if ((await ReadAsync(change.Collection, cancellationToken)).Exists(index => index["name"] == change.Index))
        {
            await DropAsync(change.Collection, change.Index, cancellationToken);
        }

        return (IndexOutcomeKind.Dropped, "it only stood in for another while that was built");
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

        // Taken down first: stopped in between, it is hidden at the next run.
        var since = await RememberAsync(change, cancellationToken);
        if (!change.IsHidden)
        {
            try
            {
                await SetHiddenAsync(change.Collection, change.Index, hidden: true, cancellationToken);
            }
            catch (MongoCommandException exception) when (ServerLimits.IsUnsupported(exception))
            {
                await ForgetAsync(change.Collection, change.Index, cancellationToken);
                return (IndexOutcomeKind.Left, $"this server cannot hide indexes ({exception.Message}); give --no-hide to drop it at once");
            }

            return (IndexOutcomeKind.Hidden, $"the catalogue does not declare it; dropped by a run from {Moment(since + removal.HiddenFor)} on");
        }

        if (time.GetUtcNow().UtcDateTime < since + removal.HiddenFor)
        {
            return (IndexOutcomeKind.Left, $"hidden since {Moment(since)}; dropped by a run from {Moment(since + removal.HiddenFor)} on");
        }

        await DropAsync(change.Collection, change.Index, cancellationToken);
        return (IndexOutcomeKind.Dropped, $"hidden since {Moment(since)}, and nobody missed it");
    }

    // The first run that found it hidden counts, also when somebody did so by hand. For one that queries have seen since, or that was
    // made anew, the time begins again.
    private async Task<DateTime> RememberAsync(IndexChange change, CancellationToken cancellationToken)
    {
        if (change.IsHidden
            && await Hidden.Find(index => index.Id == change.Name).FirstOrDefaultAsync(cancellationToken) is { } known
            && Visible(known.Specification) == Visible(change.Existing!))
        {
            return known.HiddenAt;
        }

        var now = new BsonDateTime(time.GetUtcNow().UtcDateTime).ToUniversalTime();
        await Hidden.ReplaceOneAsync(
            index => index.Id == change.Name,
            new HiddenIndex { Id = change.Name, HiddenAt = now, Host = Environment.MachineName, Specification = change.Existing! },
            new ReplaceOptions { IsUpsert = true },
            cancellationToken);
        return now;

        static BsonDocument Visible(BsonDocument specification) => new(specification.Where(option => option.Name != "hidden"));
    }

    private Task<DeleteResult> ForgetAsync(string collection, string index, CancellationToken cancellationToken) =>
        Hidden.DeleteOneAsync(hidden => hidden.Id == $"{collection}.{index}", cancellationToken);

    private async Task DropAsync(string collection, string index, CancellationToken cancellationToken)
    {
        await RunAsync(new BsonDocument { { "dropIndexes", collection }, { "index", index } }, cancellationToken);
        await ForgetAsync(collection, index, cancellationToken);
    }

    // https://www.mongodb.com/docs/manual/core/index-hidden/
    private Task<BsonDocument> SetHiddenAsync(string collection, string index, bool hidden, CancellationToken cancellationToken) =>
        ModifyAsync(collection, index, new BsonElement("hidden", hidden), cancellationToken);

    private Task<BsonDocument> ModifyAsync(string collection, string index, BsonElement option, CancellationToken cancellationToken) => RunAsync(
        new BsonDocument { { "collMod", collection }, { "index", new BsonDocument { { "name", index }, option } } }, cancellationToken);

    private async Task<List<BsonDocument>> ReadAsync(string collection, CancellationToken cancellationToken)
    {
        using var cursor = await database.GetCollection<BsonDocument>(collection).Indexes.ListAsync(cancellationToken);
        return await cursor.ToListAsync(cancellationToken);
    }

    private Task<BsonDocument> RunAsync(BsonDocument command, CancellationToken cancellationToken) =>
        database.RunCommandAsync<BsonDocument>(command, ReadPreference.Primary, cancellationToken);

    private static string Moment(DateTime utc) => utc.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture) + " UTC";
}

/// <summary>What may be done to get rid of indexes.</summary>
/// <param name="Allowed">Whether indexes may be hidden and dropped at all.</param>
/// <param name="HiddenFor">How long an index has to be hidden before it is dropped.</param>
/// <param name="AtOnce">Whether an index may be dropped without being hidden first.</param>
internal sealed record IndexRemoval(bool Allowed, TimeSpan HiddenFor, bool AtOnce)
{
    /// <summary>Nothing is dropped.</summary>
    public static IndexRemoval None { get; } = new(false, TimeSpan.Zero, false);
}

/// <summary>What became of one index.</summary>
/// <param name="Collection">The collection.</param>
/// <param name="Index">The index.</param>
/// <param name="Outcome">What was done.</param>
/// <param name="Reason">Why, or why nothing was done.</param>
/// <param name="Milliseconds">How long it took.</param>
internal sealed record IndexOutcome(string Collection, string Index, IndexOutcomeKind Outcome, string Reason, double Milliseconds);

/// <summary>What became of a difference.</summary>
internal enum IndexOutcomeKind
{
    /// <summary>The index was built.</summary>
    Created,

    /// <summary>The index was changed as it stands.</summary>
    Adjusted,

    /// <summary>The index was dropped and built again.</summary>
    Replaced,

    /// <summary>The index, which had another name, was built under its own, and the old one dropped.</summary>
    Renamed,

    /// <summary>Queries no longer see the index; it is dropped at a later run.</summary>
    Hidden,

    /// <summary>The index was dropped.</summary>
    Dropped,

    /// <summary>Queries see the index again.</summary>
    Restored,

    /// <summary>Nothing was done, for the reason that is given.</summary>
    Left,
}

/// <summary>An index that is hidden before it is dropped: since when, and what it was, so that it can be had back.</summary>
internal sealed record HiddenIndex
{
    /// <summary>The collection and the index, with a dot between them.</summary>
    [BsonId]
    public required string Id { get; init; }

    /// <summary>When it was hidden (UTC).</summary>
    public required DateTime HiddenAt { get; init; }

    /// <summary>The machine that hid it.</summary>
    public required string Host { get; init; }

    /// <summary>The index as <c>listIndexes</c> reported it.</summary>
    public required BsonDocument Specification { get; init; }
}
