using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using MongoDB.Bson;
using Platform.Data.Catalogue;
using Platform.Data.Tenancy;
using Platform.Jobs;
using Platform.Migrator.Execution;
using Platform.Migrator.Indexes;
using Platform.Mongo.Leases;

namespace Platform.Migrator.Commands;

/// <summary>What the commands on indexes do, against one database.</summary>
internal sealed class IndexSession(
    PlatformDatabase database,
    ILeaseStore leases,
    IOptions<MigratorOptions> options,
    TimeProvider time,
    ILogger<IndexSession> logger)
{
    private readonly DatabaseIndexes _reader = new(database.Database);
    private readonly IndexBuilder _builder = new(database.Database, time);

    /// <summary>Compares the database with the catalogue; changes nothing.</summary>
    public async Task<PlanReport> PlanAsync(CancellationToken cancellationToken)
    {
        var state = await _reader.ReadAsync(sizes: false, usage: false, cancellationToken);
        var hidden = await _builder.ReadHiddenAsync(cancellationToken);
        var changes = IndexPlanner.Compare(CollectionCatalogue.All, state.Collections);
        return new PlanReport(changes.Count == 0, [.. changes.Select(change => Planned(change, hidden, state.Collections.ContainsKey(change.Collection)))]);
    }

    /// <summary>Does what the comparison found, as far as it is allowed; alone, as the migrations are.</summary>
    /// <exception cref="JobRefusedException">A collection is missing: what makes it are the migrations.</exception>
    public Task<ApplyReport> ApplyAsync(IndexRemoval removal, IIndexProgress progress, CancellationToken cancellationToken) => AloneAsync(
        async token =>
        {
            var state = await _reader.ReadAsync(sizes: false, usage: false, token);
            var missing = CollectionCatalogue.All.FirstOrDefault(definition => !state.Collections.ContainsKey(definition.Name));
            if (missing is not null)
            {
                throw new JobRefusedException($"The database has no collection {missing.Name}; run 'migrator up' first.");
            }

            var changes = IndexPlanner.Compare(CollectionCatalogue.All, state.Collections);
            var outcomes = await RunAsync(
                [.. changes.Select(change => (change.Name, (Func<CancellationToken, Task<IndexOutcome>>)(step => _builder.ApplyAsync(change, removal, step))))],
                progress,
                token);
            return new ApplyReport(outcomes.All(outcome => outcome.Outcome is not (IndexOutcomeKind.Left or IndexOutcomeKind.Hidden)), outcomes);
        },
        cancellationToken);

    /// <summary>How every collection stands.</summary>
    public async Task<IndexStatusReport> StatusAsync(CancellationToken cancellationToken)
    {
        var state = await _reader.ReadAsync(sizes: true, usage: false, cancellationToken);
        var notes = new List<string>(state.Notes);
        var rows = new List<CollectionIndexStatus>();
        foreach (var definition in CollectionCatalogue.All)
        {
            var collection = state.Collections.GetValueOrDefault(definition.Name);
            var changes = IndexPlanner.Compare(definition, collection).ToList();
            var declared = definition.IndexesFor(collection?.IsTimeSeries ?? true).Count;
            int Count(params IndexChangeKind[] kinds) => changes.Count(change => kinds.Contains(change.Kind));
            rows.Add(new CollectionIndexStatus(
                definition.Name,
                collection is null ? "missing" : collection.IsTimeSeries ? "time series" : definition.TimeSeries is null ? "collection" : "plain",
                collection?.Documents ?? 0,
                declared,
                declared - Count(IndexChangeKind.Missing, IndexChangeKind.Changed, IndexChangeKind.Adjusted, IndexChangeKind.Renamed),
                Count(IndexChangeKind.Missing),
                Count(IndexChangeKind.Changed, IndexChangeKind.Adjusted, IndexChangeKind.Renamed),
                Count(IndexChangeKind.Unknown, IndexChangeKind.Interim),
                collection?.Indexes.Count(index => index.GetValue("hidden", false).ToBoolean()) ?? 0,
                collection?.IndexBytes.Values.Sum() ?? 0));
        }

        var plain = rows.Where(row => row.Kind == "plain").Select(row => row.Collection).ToList();
        if (plain.Count > 0)
        {
            notes.Add($"{string.Join(" and ", plain)}: not time series, as this server had none when they were made; plain collections with the same indexes, and one that lets documents expire.");
        }

        return new IndexStatusReport(rows.All(row => row is { Missing: 0, Changed: 0, Unknown: 0 } && row.Kind != "missing"), rows, notes);
    }

    /// <summary>How often each index was used.</summary>
    public async Task<UsageReport> UsageAsync(string? collection, CancellationToken cancellationToken)
    {
        var state = await _reader.ReadAsync(sizes: true, usage: true, cancellationToken);
        var rows = from definition in CollectionCatalogue.All
                   where collection is null || definition.Name == collection
                   where state.Collections.ContainsKey(definition.Name)
                   let found = state.Collections[definition.Name]
                   from index in found.Indexes
                   let name = index["name"].AsString
                   let change = IndexPlanner.Compare(definition, found).FirstOrDefault(change => change.Existing is not null && change.ExistingName == name)
                   let declared = definition.IndexesFor(found.IsTimeSeries).FirstOrDefault(declared => declared.Name == name) ?? change?.Definition
                   let unknown = change is { Definition: null }
                   let usage = found.Usage.GetValueOrDefault(name)
                   select new UsageRow(
                       definition.Name,
                       name,
                       !unknown,
                       index.GetValue("hidden", false).ToBoolean(),
                       usage?.Operations,
                       usage?.Since,
                       found.IndexBytes.GetValueOrDefault(name),
                       declared?.Serves ?? (unknown ? "Not declared." : name == IndexPlanner.PrimaryKey ? "Documents by key." : "Comes with a time series."));
        return new UsageReport([.. rows], state.Notes);
    }

    /// <summary>What is missing, redundant or unused.</summary>
    public async Task<AdviceReport> AdviseAsync(TimeSpan unusedFor, CancellationToken cancellationToken)
    {
        var state = await _reader.ReadAsync(sizes: false, usage: true, cancellationToken);
        var (queries, notes) = await new ProfileReader(database.Database).ReadAsync(cancellationToken);
        var advisor = new IndexAdvisor(CollectionCatalogue.All, time.GetUtcNow().UtcDateTime, unusedFor);
        return new AdviceReport(advisor.Advise(state.Collections, queries), queries.Count, [.. state.Notes, .. notes, .. TooEarly(state, unusedFor)]);
    }

    /// <summary>Sizes against the budget, what is to be done, and as much of it as was asked for.</summary>
    /// <exception cref="JobRefusedException">An index that is named does not exist, or is not declared.</exception>
    public async Task<MaintenanceReport> MaintainAsync(
        IndexRemoval removal, IReadOnlyList<string> rebuild, IReadOnlyList<string> restore, IIndexProgress progress, CancellationToken cancellationToken)
    {
        var outcomes = !removal.Allowed && rebuild.Count == 0 && restore.Count == 0
            ? []
            : await AloneAsync(token => ChangeAsync(removal, rebuild, restore, progress, token), cancellationToken);
        var state = await _reader.ReadAsync(sizes: true, usage: false, cancellationToken);
        var rows = IndexMaintenance.Look(CollectionCatalogue.All, state.Collections, await _builder.ReadHiddenAsync(cancellationToken));
        return new MaintenanceReport(rows.All(row => row.Budget is null || row.Bytes <= row.Budget), rows, outcomes, state.Notes);
    }

    private async Task<IReadOnlyList<IndexOutcome>> ChangeAsync(
        IndexRemoval removal, IReadOnlyList<string> rebuild, IReadOnlyList<string> restore, IIndexProgress progress, CancellationToken cancellationToken)
    {
        var state = await _reader.ReadAsync(sizes: false, usage: false, cancellationToken);
        var steps = new List<(string, Func<CancellationToken, Task<IndexOutcome>>)>();
        foreach (var name in restore)
        {
            var (collection, index) = Find(state, name);
            steps.Add((name, token => _builder.RestoreAsync(collection, index["name"].AsString, token)));
        }

        foreach (var name in rebuild)
        {
            var declared = Declared(state, name);
            if (declared.Count == 0)
            {
                throw new JobRefusedException($"{name} is no declared index that the database has, so that it cannot be built again.");
            }

            steps.AddRange(declared.Select(pair =>
                ($"{pair.Collection}.{pair.Index.Name}", (Func<CancellationToken, Task<IndexOutcome>>)(token => _builder.RebuildAsync(pair.Collection, pair.Index, token)))));
        }

        if (removal.Allowed)
        {
            var restored = restore.ToHashSet(StringComparer.Ordinal);
            steps.AddRange(IndexPlanner.Compare(CollectionCatalogue.All, state.Collections)
                .Where(change => change.Kind == IndexChangeKind.Unknown && !restored.Contains(change.Name))
                .Select(change => (change.Name, (Func<CancellationToken, Task<IndexOutcome>>)(token => _builder.ApplyAsync(change, removal, token)))));
        }

        return await RunAsync(steps, progress, cancellationToken);
    }

    private static async Task<IReadOnlyList<IndexOutcome>> RunAsync(
        List<(string Name, Func<CancellationToken, Task<IndexOutcome>> Step)> steps, IIndexProgress progress, CancellationToken cancellationToken)
    {
        var outcomes = new List<IndexOutcome>();
        foreach (var (name, step) in steps)
        {
            cancellationToken.ThrowIfCancellationRequested();
            progress.Begins(outcomes.Count + 1, steps.Count, name);
            outcomes.Add(await step(cancellationToken));
            progress.Ended(outcomes.Count, steps.Count, outcomes[^1]);
        }

        return outcomes;
    }

    private static (string Collection, BsonDocument Index) Find(DatabaseState state, string name)
    {
        foreach (var collection in state.Collections.Values)
        {
            if (collection.Indexes.FirstOrDefault(index => $"{collection.Name}.{index["name"]}" == name) is { } found)
            {
                return (collection.Name, found);
            }
        }

        throw new JobRefusedException($"The database has no index {name}; name it as COLLECTION.INDEX.");
    }

    // "all", a collection, or an index of it.
    private static List<(string Collection, IndexDefinition Index)> Declared(DatabaseState state, string name) =>
    [
        .. from definition in CollectionCatalogue.All
           where state.Collections.ContainsKey(definition.Name)
           let found = state.Collections[definition.Name]
           from index in definition.IndexesFor(found.IsTimeSeries)
           where found.Indexes.Any(existing => existing["name"] == index.Name)
           where name == "all" || name == definition.Name || name == $"{definition.Name}.{index.Name}"
           select (definition.Name, index),
    ];

    private IEnumerable<string> TooEarly(DatabaseState state, TimeSpan unusedFor)
    {
        var usage = state.Collections.Values.SelectMany(collection => collection.Usage.Values).ToList();
        var since = usage.Count == 0 ? (DateTime?)null : usage.Max(index => index.Since);
        return since is { } start && time.GetUtcNow().UtcDateTime - start < unusedFor
            ? [$"Some indexes have been counted since {start:yyyy-MM-dd HH:mm} UTC only; those are not called unused before {start + unusedFor:yyyy-MM-dd HH:mm} UTC."]
            : [];
    }

    private static PlannedChange Planned(IndexChange change, IReadOnlyDictionary<string, DateTime> hidden, bool collectionExists) => new(
        change.Kind,
        change.Collection,
        change.Index,
        (change.Definition?.KeyDocument() ?? change.Existing!["key"].AsBsonDocument).ToJson(),
        change.Difference,
        change.IsHidden && hidden.TryGetValue(change.Name, out var since) ? since : null,
        change.Kind switch
        {
            IndexChangeKind.Missing => collectionExists ? change.Definition!.Serves : "The collection is missing, too: 'migrator up' makes both.",
            IndexChangeKind.Adjusted => "Changed as it stands.",
            IndexChangeKind.Renamed => $"The database calls it {change.ExistingName}; built under its name{(change.NeedsPermission ? ", with --allow-drop" : "")}.",
            IndexChangeKind.Changed when change.ExistingName != change.Index => $"Built in the place of {change.ExistingName}, with --allow-drop.",
            IndexChangeKind.Changed => "Dropped and built again, with --allow-drop.",
            IndexChangeKind.Interim => "It only stood in for another while that was built; dropped.",
            _ => change.IsHidden ? "Hidden; dropped later, with --allow-drop." : "Hidden first and dropped later, with --allow-drop.",
        });

    private Task<TResult> AloneAsync<TResult>(Func<CancellationToken, Task<TResult>> work, CancellationToken cancellationToken) =>
        new SoleWorker(
            leases,
            new LeaseOptions { Duration = options.Value.LeaseDuration, AcquireTimeout = options.Value.LeaseTimeout },
            time,
            logger).RunAsync((_, token) => work(token), cancellationToken);
}
