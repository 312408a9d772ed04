using System.Globalization;
using Microsoft.Extensions.Logging;
using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Data.Leases;
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
    private const int MinDocuments = 100;
    private const int MinStatements = 5;
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
        var next = PrepareAsync(run, position, cancellationToken);
        while (true)
        {
            var batch = await next;
            if (batch.Documents.Count == 0)
            {
                return rewritten;
            }

            // The next batch is read, and rewritten in memory, while this one is written.
            var last = batch.Documents[^1]["_id"];
            next = batch.IsLast || IsDryRun ? Task.FromResult(Batch.None) : PrepareAsync(run, last, cancellationToken);
            try
            {
                await SampleAsync(run, batch.Documents, cancellationToken);
                Lease.RequireHeld();
                var written = run.Transform.Update is null
                    ? await WriteAsync(run, batch.Statements, cancellationToken)
                    : await UpdateAsync(run, batch.Documents, cancellationToken);
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

    private static async Task<Batch> PrepareAsync(Run run, BsonValue? after, CancellationToken cancellationToken)
    {
        var documents = await ReadAsync(run, after, cancellationToken);
        var isLast = documents.Count < run.Transform.BatchSize;
        if (run.Transform.Update is null)
        {
            return new Batch(documents, RewriteStatement.Of(run.Transform, documents), isLast);
        }

        // The server is told a range, which holds values of one type only; the next pass has the rest.
        var ofOneType = documents.TakeWhile(document => TypeOf(document) == TypeOf(documents[0])).ToList();
        return new Batch(ofOneType, [], isLast || ofOneType.Count < documents.Count);

        static BsonType TypeOf(BsonDocument document) => document["_id"] is { IsNumeric: true } ? BsonType.Double : document["_id"].BsonType;
    }

    private static Task<List<BsonDocument>> ReadAsync(Run run, BsonValue? after, CancellationToken cancellationToken)
    {
        var filter = after is null
            ? run.Transform.Needed
            : new BsonDocument("$and", new BsonArray { new BsonDocument("_id", new BsonDocument("$gt", after)), run.Transform.Needed });
        var fields = new BsonDocument(run.Transform.Reads.Prepend("_id").Distinct().Select(field => new BsonElement(field, 1)));
        // All in one reply: for a second one the engine would keep the rest in a file.
        return run.Collection.Find(filter, new FindOptions { BatchSize = run.Transform.BatchSize })
            .Project<BsonDocument>(fields)
            .Sort(new BsonDocument("_id", 1))
            .Limit(run.Transform.BatchSize)
            .ToListAsync(cancellationToken);
    }

    private static async Task<long> UpdateAsync(Run run, List<BsonDocument> batch, CancellationToken cancellationToken)
    {
        UpdateDefinition<BsonDocument> update = run.Transform.Update is BsonArray stages
            ? new BsonDocumentStagePipelineDefinition<BsonDocument, BsonDocument>(stages.Select(stage => stage.AsBsonDocument))
            : run.Transform.Update!.AsBsonDocument;
        var options = new UpdateOptions { BypassDocumentValidation = run.Transform.BypassValidation ? true : null };
        var results = await Task.WhenAll(Parts(batch, MinDocuments).Select(part =>
        {
            var filter = new BsonDocument("$and", new BsonArray
            {
                new BsonDocument("_id", new BsonDocument { { "$gte", part[0]["_id"] }, { "$lte", part[^1]["_id"] } }),
                run.Transform.Needed,
            });
            return run.Collection.UpdateManyAsync(filter, update, options, cancellationToken);
        }));
        return results.Sum(result => result.ModifiedCount);
    }

    private static async Task<long> WriteAsync(Run run, List<RewriteStatement> statements, CancellationToken cancellationToken)
    {
        var written = await Task.WhenAll(Parts(statements, MinStatements).Select(part => WritePartAsync(run, part, cancellationToken)));
        return written.Sum();
    }

    private static async Task<long> WritePartAsync(Run run, RewriteStatement[] statements, CancellationToken cancellationToken)
    {
        var options = new BulkWriteOptions { IsOrdered = false, BypassDocumentValidation = run.Transform.BypassValidation ? true : null };
        try
        {
            var result = await run.Collection.BulkWriteAsync(statements.Select(statement => statement.Model), options, cancellationToken);
            return result.ModifiedCount;
        }
        catch (MongoBulkWriteException<BsonDocument> exception) when (exception.WriteErrors.Any(error => statements[error.Index].Documents.Count > 1))
        {
            // One document that is refused takes its statement with it. One by one, the others are written and the error is about that one.
            var single = exception.WriteErrors
                .SelectMany(error => statements[error.Index].Documents)
                .Select(document => RewriteStatement.One(run.Transform, document.Document, document.Update));
            return exception.Result.ModifiedCount + await WritePartAsync(run, [.. single], cancellationToken);
        }
    }

    // The server does the statements of one command one after another; several commands use several of its processors.
    private static IEnumerable<T[]> Parts<T>(List<T> all, int atLeast) => all.Chunk(Math.Max(atLeast, (all.Count + Writers - 1) / Writers));

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

    /// <summary>Documents that are written together.</summary>
    /// <param name="Documents">As they were read.</param>
    /// <param name="Statements">What rewrites them; none when the server does it.</param>
    /// <param name="IsLast">Whether the pass ends with it.</param>
    private sealed record Batch(List<BsonDocument> Documents, List<RewriteStatement> Statements, bool IsLast)
    {
        public static Batch None { get; } = new([], [], IsLast: true);
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
