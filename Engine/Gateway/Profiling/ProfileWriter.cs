using MongoDB.Bson;
using Platform.Gateway.Backend;
using Platform.Gateway.Errors;
using Platform.Gateway.Postgres;
using Platform.Gateway.Topology;
using Platform.Wire.Bson;

namespace Platform.Gateway.Profiling;

/// <summary>
/// Stores what the profiler hands on, with what the plan tells as far as the <see cref="PlanBudget"/> goes, and keeps each <c>system.profile</c> at
/// 4,096 entries.
/// </summary>
internal sealed partial class ProfileWriter(
    Profiler profiler, PlanSource plans, BackendPool pool, MemberState state, TimeProvider time, ILogger<ProfileWriter> logger) : BackgroundService
{
    /// <summary>How many entries a database keeps; the server keeps one megabyte.</summary>
    public const int Kept = 4_096;

    private const int LargestBatch = 100;
    private const int TrimEvery = 256;
    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(1);
    private readonly Dictionary<string, int> _sinceTrim = new(StringComparer.Ordinal);
    private readonly PlanBudget _budget = new(time);

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var batch = new List<ProfileEntry>(LargestBatch);
        try
        {
            while (await profiler.Entries.WaitToReadAsync(stoppingToken))
            {
                await state.WaitAvailableAsync(s_pause, time, stoppingToken);
                batch.Clear();
                while (batch.Count < LargestBatch && profiler.Entries.TryRead(out var entry))
                {
                    batch.Add(entry);
                }

                if (!state.IsPrimary)
                {
                    // The log has them; system.profile is of the whole set, and only the primary writes.
                    continue;
                }

                foreach (var ofDatabase in batch.GroupBy(e => e.Database, StringComparer.Ordinal))
                {
                    try
                    {
                        await StoreAsync(ofDatabase.Key, ofDatabase, stoppingToken);
                    }
#pragma warning disable CA1031 // The gateway does not end for the sake of entries that it could not record.
                    catch (Exception e) when (!stoppingToken.IsCancellationRequested)
#pragma warning restore CA1031
                    {
                        LogLost(ofDatabase.Count(), Printable.Of(ofDatabase.Key), Printable.Of(e.Message));
                    }
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    private async ValueTask StoreAsync(string database, IEnumerable<ProfileEntry> entries, CancellationToken cancellationToken)
    {
        var documents = new BsonArray();
        foreach (var entry in entries)
        {
            if (entry is { Explains: { } command, User: { } user })
            {
                var shape = $"{entry.Document["ns"]} {entry.Document.GetValue("queryHash", "")}";
                Tell(entry.Document, _budget.Allows(shape)
                    ? await PlanAsync(user, database, command, entry.Document, shape, cancellationToken)
                    : _budget.PlanOf(shape));
            }

            documents.Add(entry.Document);
        }

        await using var lease = await pool.RentAsync(cancellationToken);
        await RunAsync(Statements.Insert, new BsonDocument { { "insert", SystemProfile.Stored }, { "documents", documents } });
        var count = _sinceTrim[database] = _sinceTrim.GetValueOrDefault(database, TrimEvery) + documents.Count;
        if (count < TrimEvery)
        {
            return;
        }

        _sinceTrim[database] = 0;
        var find = new BsonDocument
        {
            { "find", SystemProfile.Stored }, { "sort", new BsonDocument("ts", -1) }, { "skip", Kept }, { "limit", 1 },
            { "projection", new BsonDocument("ts", 1) },
        };
        var page = new RawDocument(await lease.Connection.Command(Statements.Find)
            .With(0, database).With<ReadOnlyMemory<byte>>(1, find.ToRaw()).SingleAsync<byte[]>(cancellationToken)).ToTree();
        if (page["cursor"]["firstBatch"].AsBsonArray is [BsonDocument oldest])
        {
            var old = new BsonDocument { { "q", new BsonDocument("ts", new BsonDocument("$lte", oldest["ts"])) }, { "limit", 0 } };
            await RunAsync(Statements.Delete, new BsonDocument { { "delete", SystemProfile.Stored }, { "deletes", new BsonArray { old } } });
        }

        async ValueTask RunAsync(WriteStatements statement, BsonDocument body) => await lease.Connection
            .Command(statement.Form(sequence: false, retryable: false, UpsertTurnKind.None))
            .With(0, database)
            .With<ReadOnlyMemory<byte>>(1, body.ToRaw())
            .RunAsync(cancellationToken);
    }

    // As a server has them: counts that were not taken are left out, and so is a sort that did not happen.
    private static void Tell(BsonDocument entry, ProfiledPlan? plan)
    {
        var at = entry.IndexOfName("ts");
        if (plan?.Examined is (var keys, var documents))
        {
            entry.InsertAt(at++, new BsonElement("keysExamined", keys));
            entry.InsertAt(at++, new BsonElement("docsExamined", documents));
        }

        if (plan is { Sorts: true })
        {
            entry.InsertAt(at++, new BsonElement("hasSortStage", true));
        }

        if (plan is not null)
        {
            entry.InsertAt(at, new BsonElement("planSummary", plan.Summary));
        }
    }

    /// <summary>
    /// The plan of a command; null when it has none. It is asked for with the rights of whoever ran the command: a plan may run functions that the
    /// command names.
    /// </summary>
    private async ValueTask<ProfiledPlan?> PlanAsync(
        string user, string database, BsonDocument command, BsonDocument entry, string shape, CancellationToken cancellationToken)
    {
        // Of a cursor that is still open the client has one batch; what comes of the rest, nobody knows yet.
        long? atMost = entry.Contains("cursorid") ? entry.GetValue("nreturned", 0).ToInt64() : null;
        var measure = atMost != 0 && _budget.TryCount(shape) ? new PlanMeasure(PlanBudget.Patience, atMost) : null;
        var started = time.GetTimestamp();
        try
        {
            await using var lease = await pool.RentAsync(user, BackendShare.Gateway, cancellationToken);
            var plan = await plans(lease.Connection, database, command, measure, cancellationToken);
            if (plan is not null)
            {
                _budget.Remember(shape, plan);
            }

            return plan;
        }
        catch (Exception e) when (e is CommandException or BsonFormatException or PostgresException && !ErrorMapping.IsBackendLost(e))
        {
            // The entry is worth keeping without it.
            return null;
        }
        finally
        {
            _budget.Spend(started);
        }
    }

    [LoggerMessage(LogLevel.Warning, "{Count} profile entries of {Database} could not be stored: {Reason}")]
    private partial void LogLost(int count, string database, string reason);
}
