using Microsoft.Extensions.Logging;
using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Migrator.History;
using Platform.Mongo.Leases;

namespace Platform.Migrator.Transforms;

/// <summary>
/// Rewrites the documents of a collection in batches, once over the keys that were there when it began. Holds two batches in memory,
/// whatever the collection's size.
/// </summary>
/// <param name="database">The database.</param>
/// <param name="time">The clock of throttle and progress.</param>
/// <param name="logger">Where progress is logged.</param>
public sealed class TransformRunner(IMongoDatabase database, TimeProvider time, ILogger logger)
{
    private const int MaxSamples = 20;
    private static readonly TimeSpan s_progressInterval = TimeSpan.FromSeconds(5);

    /// <summary>How many documents a second are rewritten at most; null for as many as can be. Default: null.</summary>
    public double? MaxDocumentsPerSecond { get; init; }

    /// <summary>Whether what is written is thrown away: then one batch is done, and nothing is verified. Default: false.</summary>
    public bool IsDryRun { get; init; }

    /// <summary>Runs a transform to its end.</summary>
    /// <param name="transform">What to rewrite, and how.</param>
    /// <param name="resumed">How far an earlier run came; null to begin. What is before that is looked at again at the end.</param>
    /// <param name="record">Records how far this one came; called after each batch, before the next is written.</param>
    /// <param name="cancellationToken">Stops between two batches, or in one.</param>
    /// <exception cref="TransformException">Some documents could not be rewritten, though all others were; or a sample is not as it should be.</exception>
    public async Task<TransformReport> RunAsync(
        CollectionTransform transform,
        MigrationCheckpoint? resumed,
        Func<MigrationCheckpoint, CancellationToken, Task> record,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(transform);
        ArgumentNullException.ThrowIfNull(record);
        var collection = database.GetCollection<BsonDocument>(transform.Collection).WithWriteConcern(WriteConcern.WMajority);
        var run = new TransformRun(transform, collection, logger);
        var started = time.GetTimestamp();
        var ranges = await KeyRange.ReadAsync(collection, resumed?.Position, cancellationToken);
        if (resumed is null)
        {
            run.Total = await collection.CountDocumentsAsync(transform.Needed, cancellationToken: cancellationToken);
            TransformLog.Begins(logger, transform.Name, transform.Collection, run.Total);
        }
        else
        {
            run.Total = resumed.Total;
            run.Before = resumed.Documents;
            TransformLog.Resumes(logger, transform.Name, transform.Collection, resumed.Documents, resumed.Total);
        }

        var reader = new TransformReader(transform, collection);
        var visit = new Visit(run, reader, new TransformWriter(run, reader), record, started) { Reported = started };
        foreach (var range in ranges.TakeWhile(_ => !IsDryRun || run.Batches == 0))
        {
            await VisitAsync(visit, range, cancellationToken);
        }

        var newer = IsDryRun ? 0 : await FinishAsync(run, visit.Reader, cancellationToken);
        var report = new TransformReport(
            transform.Name, transform.Collection, run.Documents, run.Batches, run.Samples, run.Obstructed, newer,
            time.GetElapsedTime(started).TotalMilliseconds);
        TransformLog.Done(logger, report.Name, report.Collection, report.Documents, report.Batches, report.DurationMs, report.Samples);
        return report;
    }

    private async Task VisitAsync(Visit visit, KeyRange range, CancellationToken cancellationToken)
    {
        var run = visit.Run;
        var next = PrepareAsync(visit, range, range.After, cancellationToken);
        while (await next is { Documents.Count: > 0 } batch)
        {
            // The next batch is read, and rewritten in memory, while this one is written.
            var last = batch.Documents[^1].Id;
            next = batch.IsLast || IsDryRun ? Task.FromResult(Batch.None) : PrepareAsync(visit, range, last, cancellationToken);
            try
            {
                await WriteAsync(visit, batch, cancellationToken);
                run.Batches++;
                await visit.Record(
                    new MigrationCheckpoint { Step = run.Transform.Name, Position = last, Documents = run.Before + run.Documents, Total = run.Total },
                    cancellationToken);
            }
            catch
            {
                // Nothing that runs is left behind; what stopped the batch is what matters.
                await next.ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
                throw;
            }

            ReportProgress(visit);
            var pause = Throttle.PauseAfter(run.Documents, time.GetElapsedTime(visit.Started), MaxDocumentsPerSecond);
            if (pause > TimeSpan.Zero)
            {
                await Task.Delay(pause, time, cancellationToken);
            }
        }
    }

    // One document of the first batches each is a sample: enough to see a rewriting that is wrong, and no burden.
    private async Task<Batch> PrepareAsync(Visit visit, KeyRange range, BsonValue? after, CancellationToken cancellationToken)
    {
        var transform = visit.Run.Transform;
        if (transform.Examine is null)
        {
            return await FindAsync(visit, range, after, cancellationToken);
        }

        var (documents, areAll) = await visit.Reader.ReadAsync(range.ToFilter(after), BatchSizeOf(transform), cancellationToken);
        var changed = documents.Where(document => document.Change.Update is not null).ToList();
        var tooLong = changed.Where(document => document.Bytes > RewriteStatement.MaxStatementBytes).ToList();
        changed.RemoveAll(tooLong.Contains);
        PreparedDocument? sample = null;
        if (changed.Count > 0 && WantsSample(visit))
        {
            sample = changed[changed.Count / 2];
            changed.Remove(sample);
        }

        return new Batch(documents, [], changed, RewriteStatement.Of(transform, changed), sample, tooLong, areAll);
    }

    // What the server updates by itself is not read: where each range of it ends is all that is known.
    private async Task<Batch> FindAsync(Visit visit, KeyRange range, BsonValue? after, CancellationToken cancellationToken)
    {
        var size = BatchSizeOf(visit.Run.Transform);
        var count = TransformWriter.RangesOf(size);
        var ends = new List<PreparedDocument>();
        var ranges = new List<BsonDocument>();
        var areAll = false;
        while (ranges.Count < count && !areAll)
        {
            (var end, areAll) = await visit.Reader.FindEndAsync(range.ToFilter(after), (size + count - 1) / count, cancellationToken);
            if (end is null)
            {
                break;
            }

            ends.Add(end);
            ranges.Add((range with { Last = end.Id }).ToFilter(after));
            after = end.Id;
        }

        return new Batch(ends, ranges, [], [], ends.Count > 0 && WantsSample(visit) ? ends[0] : null, [], areAll);
    }

    private async Task WriteAsync(Visit visit, Batch batch, CancellationToken cancellationToken)
    {
        var (run, writer) = (visit.Run, visit.Writer);
        Lease.RequireHeld();
        List<PreparedDocument> again = [.. batch.TooLong];
        if (batch.Sample is { } sample && !await visit.Singles.SampleAsync(sample, cancellationToken) && run.Transform.Examine is not null)
        {
            again.Add(sample);
        }

        if (run.Transform.Examine is null)
        {
            again.AddRange(await writer.UpdateAsync(batch.Ranges, cancellationToken));
        }
        else
        {
            foreach (var document in batch.Documents)
            {
                run.Note(document);
            }

            var all = await writer.WriteAsync(batch.Statements, cancellationToken);
            if (!IsDryRun && (!all || run.Transform.WhyStillNeeded is not null))
            {
                again.AddRange(await writer.SelectedAsync(batch.Changed, cancellationToken));
            }
        }

        if (!IsDryRun)
        {
            await visit.Singles.RewriteAsync(again, cancellationToken);
        }
    }

    // What is in the old form now was written by others: it had been visited, or was not yet there.
    private async Task<long> FinishAsync(TransformRun run, TransformReader reader, CancellationToken cancellationToken)
    {
        if (run.Obstructed > 0)
        {
            TransformLog.ObstructedInAll(logger, run.Transform.Name, run.Transform.Collection, run.Obstructed);
        }

        run.RequireAllDone();
        var newer = await reader.CountAsync(cancellationToken);
        if (newer > 0)
        {
            TransformLog.Newer(logger, run.Transform.Name, run.Transform.Collection, newer);
        }

        return newer;
    }

    // A limit is kept within each second, and not by a flood and a long pause.
    private int BatchSizeOf(CollectionTransform transform) =>
        (int)Math.Min(transform.BatchSize, Math.Max(1, Math.Ceiling(MaxDocumentsPerSecond ?? double.MaxValue)));

    private bool WantsSample(Visit visit) => !IsDryRun && visit.SamplesTaken++ < MaxSamples;

    private void ReportProgress(Visit visit)
    {
        if (time.GetElapsedTime(visit.Reported) >= s_progressInterval)
        {
            var run = visit.Run;
            visit.Reported = time.GetTimestamp();
            TransformLog.Progress(
                logger,
                run.Transform.Name,
                run.Transform.Collection,
                run.Before + run.Documents,
                run.Total,
                run.Documents / time.GetElapsedTime(visit.Started).TotalSeconds);
        }
    }

    /// <summary>Documents that are written together.</summary>
    /// <param name="Documents">All that were read.</param>
    /// <param name="Ranges">The keys of those that the server updates by itself, of which only each range's last was read.</param>
    /// <param name="Changed">Those that the statements write.</param>
    /// <param name="Statements">What writes them; none when the server does it.</param>
    /// <param name="Sample">One that is written before the others and looked at; null for none.</param>
    /// <param name="TooLong">Those that no statement can hold.</param>
    /// <param name="IsLast">Whether the range ends with it.</param>
    private sealed record Batch(
        IReadOnlyList<PreparedDocument> Documents,
        IReadOnlyList<BsonDocument> Ranges,
        IReadOnlyList<PreparedDocument> Changed,
        List<RewriteStatement> Statements,
        PreparedDocument? Sample,
        IReadOnlyList<PreparedDocument> TooLong,
        bool IsLast)
    {
        public static Batch None { get; } = new([], [], [], [], null, [], IsLast: true);
    }

    private sealed record Visit(
        TransformRun Run, TransformReader Reader, TransformWriter Writer, Func<MigrationCheckpoint, CancellationToken, Task> Record, long Started)
    {
        public SingleRewriter Singles { get; } = new(Run, Reader, Writer);

        public int SamplesTaken { get; set; }

        public long Reported { get; set; }
    }
}
