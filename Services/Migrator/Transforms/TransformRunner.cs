using System.Globalization;
using Microsoft.Extensions.Logging;
using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Migrator.Engine;

namespace Platform.Migrator.Transforms;

/// <summary>Rewrites the documents of a collection in batches. Holds two batches in memory, whatever the collection's size.</summary>
/// <param name="database">The database.</param>
/// <param name="time">The clock of throttle and progress.</param>
/// <param name="logger">Where progress is logged.</param>
public sealed class TransformRunner(IMongoDatabase database, TimeProvider time, ILogger logger)
{
    private const int MaxSamples = 20;
    private const int NamedDocuments = 3;
    private const int Writers = 2;
    private const int MinStatements = 100;
    private static readonly TimeSpan ProgressInterval = TimeSpan.FromSeconds(5);

    /// <summary>How many documents a second are rewritten at most; null for as many as can be. Default: null.</summary>
    public double? MaxDocumentsPerSecond { get; init; }

    /// <summary>Whether what is written is thrown away: then one batch is done, and nothing is verified. Default: false.</summary>
    public bool IsDryRun { get; init; }

    /// <summary>Runs a transform to its end and verifies it.</summary>
    /// <param name="transform">What to rewrite, and how.</param>
    /// <param name="resumed">How far an earlier run came; null to begin.</param>
    /// <param name="record">Records how far this one came; called after each batch, before the next is written.</param>
    /// <param name="cancellationToken">Stops between two batches, or in one.</param>
    /// <exception cref="TransformException">Some documents could not be rewritten, or samples are not as they should be.</exception>
    public async Task<TransformReport> RunAsync(
        CollectionTransform transform,
        MigrationCheckpoint? resumed,
        Func<MigrationCheckpoint, CancellationToken, Task> record,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(transform);
        ArgumentNullException.ThrowIfNull(record);
        var collection = database.GetCollection<BsonDocument>(transform.Collection).WithWriteConcern(WriteConcern.WMajority);
        var run = new Run(transform, collection, time.GetTimestamp());
        run.Reported = run.Started;
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

        // A range of _id only holds values of one type, and documents that others changed meanwhile are left out: passes are made until
        // one has nothing to do.
        var position = resumed?.Position;
        while (true)
        {
            var rewritten = await PassAsync(run, position, record, cancellationToken);
            if (IsDryRun || (rewritten == 0 && position is null))
            {
                break;
            }

            position = null;
        }

        if (!IsDryRun)
        {
            await VerifyAsync(run, cancellationToken);
        }

        var report = new TransformReport(
            transform.Name, transform.Collection, run.Documents, run.Batches, run.Samples.Count, time.GetElapsedTime(run.Started).TotalMilliseconds);
        TransformLog.Done(logger, report.Name, report.Collection, report.Documents, report.Batches, report.DurationMs, report.Samples);
        return report;
    }

    private async Task<long> PassAsync(
        Run run, BsonValue? position, Func<MigrationCheckpoint, CancellationToken, Task> record, CancellationToken cancellationToken)
    {
        var rewritten = 0L;
        var next = ReadAsync(run, position, cancellationToken);
        while (true)
        {
            var batch = await next;
            if (batch.Count == 0)
            {
                return rewritten;
            }

            // The next batch is read while this one is written.
            var last = batch[^1]["_id"];
            next = batch.Count < run.Transform.BatchSize || IsDryRun ? Task.FromResult<List<BsonDocument>>([]) : ReadAsync(run, last, cancellationToken);
            try
            {
                await SampleAsync(run, batch, cancellationToken);
                var written = run.Transform.Update is null
                    ? await WriteAsync(run, batch, cancellationToken)
                    : await UpdateAsync(run, batch, cancellationToken);
                rewritten += written;
                run.Documents += written;
                run.Batches++;
                await record(
                    new MigrationCheckpoint { Step = run.Transform.Name, Position = last, Documents = run.Before + run.Documents, Total = run.Total },
                    cancellationToken);
            }
            catch
            {
                // Nothing that runs is left behind; what stopped the batch is what matters.
                await next.ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
                throw;
            }

            ReportProgress(run);
            var pause = Throttle.PauseAfter(run.Documents, time.GetElapsedTime(run.Started), MaxDocumentsPerSecond);
            if (pause > TimeSpan.Zero)
            {
                await Task.Delay(pause, time, cancellationToken);
            }
        }
    }

    private static Task<List<BsonDocument>> ReadAsync(Run run, BsonValue? after, CancellationToken cancellationToken)
    {
        var filter = after is null
            ? run.Transform.Needed
            : new BsonDocument("$and", new BsonArray { new BsonDocument("_id", new BsonDocument("$gt", after)), run.Transform.Needed });
        var fields = new BsonDocument(run.Transform.Reads.Prepend("_id").Distinct().Select(field => new BsonElement(field, 1)));
        return run.Collection.Find(filter)
            .Project<BsonDocument>(fields)
            .Sort(new BsonDocument("_id", 1))
            .Limit(run.Transform.BatchSize)
            .ToListAsync(cancellationToken);
    }

    private static async Task<long> UpdateAsync(Run run, List<BsonDocument> batch, CancellationToken cancellationToken)
    {
        var filter = new BsonDocument("$and", new BsonArray
        {
            new BsonDocument("_id", new BsonDocument { { "$gte", batch[0]["_id"] }, { "$lte", batch[^1]["_id"] } }),
            run.Transform.Needed,
        });
        UpdateDefinition<BsonDocument> update = run.Transform.Update is BsonArray stages
            ? new BsonDocumentStagePipelineDefinition<BsonDocument, BsonDocument>(stages.Select(stage => stage.AsBsonDocument))
            : run.Transform.Update!.AsBsonDocument;
        var result = await run.Collection.UpdateManyAsync(
            filter, update, new UpdateOptions { BypassDocumentValidation = run.Transform.BypassValidation ? true : null }, cancellationToken);
        return result.ModifiedCount;
    }

    private static async Task<long> WriteAsync(Run run, List<BsonDocument> batch, CancellationToken cancellationToken)
    {
        var writes = new List<WriteModel<BsonDocument>>(batch.Count);
        foreach (var document in batch)
        {
            if (run.Transform.Rewrite!(document) is { } update)
            {
                writes.Add(new UpdateOneModel<BsonDocument>(Unchanged(run.Transform, document), update));
            }
        }

        if (writes.Count == 0)
        {
            return 0;
        }

        // The server does the statements of one command one after another; several commands use several of its processors.
        var options = new BulkWriteOptions { IsOrdered = false, BypassDocumentValidation = run.Transform.BypassValidation ? true : null };
        var results = await Task.WhenAll(writes
            .Chunk(Math.Max(MinStatements, (writes.Count + Writers - 1) / Writers))
            .Select(part => run.Collection.BulkWriteAsync(part, options, cancellationToken)));
        return results.Sum(result => result.ModifiedCount);
    }

    private static BsonDocument Unchanged(CollectionTransform transform, BsonDocument document)
    {
        var filter = new BsonDocument("_id", document["_id"]);
        foreach (var field in transform.Reads.Where(field => field != "_id"))
        {
            var condition = CollectionTransform.Value(document, field) is { } value ? new BsonDocument("$eq", value) : new BsonDocument("$exists", false);
            filter.Add(field, condition);
        }

        return filter;
    }

    // One document of the first batches each: enough to see a rewriting that is wrong, and no burden.
    private async Task SampleAsync(Run run, List<BsonDocument> batch, CancellationToken cancellationToken)
    {
        if (run.Transform.Check is null || run.Samples.Count >= MaxSamples || IsDryRun)
        {
            return;
        }

        var filter = new BsonDocument("$and", new BsonArray { new BsonDocument("_id", batch[batch.Count / 2]["_id"]), run.Transform.Needed });
        if (await run.Collection.Find(filter).FirstOrDefaultAsync(cancellationToken) is { } document)
        {
            run.Samples.Add(document);
        }
    }

    private static async Task VerifyAsync(Run run, CancellationToken cancellationToken)
    {
        var left = await run.Collection.CountDocumentsAsync(run.Transform.Needed, cancellationToken: cancellationToken);
        if (left > 0)
        {
            var some = await run.Collection.Find(run.Transform.Needed).Project<BsonDocument>(new BsonDocument("_id", 1)).Limit(NamedDocuments).ToListAsync(cancellationToken);
            throw new TransformException(string.Create(
                CultureInfo.InvariantCulture,
                $"{left} documents of {run.Transform.Collection} could not be rewritten, such as _id {string.Join(", ", some.Select(document => document["_id"]))}."));
        }

        foreach (var before in run.Samples)
        {
            // One that was deleted meanwhile has nothing to compare.
            var after = await run.Collection.Find(new BsonDocument("_id", before["_id"])).FirstOrDefaultAsync(cancellationToken);
            if (after is not null && run.Transform.Check!(before, after) is { } problem)
            {
                throw new TransformException($"The document {before["_id"]} of {run.Transform.Collection} was rewritten wrongly: {problem}.");
            }
        }
    }

    private void ReportProgress(Run run)
    {
        if (time.GetElapsedTime(run.Reported) >= ProgressInterval)
        {
            run.Reported = time.GetTimestamp();
            TransformLog.Progress(
                logger,
                run.Transform.Name,
                run.Transform.Collection,
                run.Before + run.Documents,
                run.Total,
                run.Documents / time.GetElapsedTime(run.Started).TotalSeconds);
        }
    }

    private sealed class Run(CollectionTransform transform, IMongoCollection<BsonDocument> collection, long started)
    {
        public CollectionTransform Transform => transform;

        public IMongoCollection<BsonDocument> Collection => collection;

        public long Started => started;

        public long Reported { get; set; }

        public List<BsonDocument> Samples { get; } = [];

        public long Total { get; set; }

        public long Before { get; set; }

        public long Documents { get; set; }

        public int Batches { get; set; }
    }
}
