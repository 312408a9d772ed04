using MongoDB.Bson;
using MongoDB.Driver;

namespace Platform.Migrator.Transforms;

/// <summary>Writes what becomes of documents; one that the server refuses is named, and the others are written.</summary>
/// <param name="run">The run.</param>
/// <param name="reader">Reads what an update left.</param>
internal sealed class TransformWriter(TransformRun run, TransformReader reader)
{
    // The server does the statements of one command one after another; several commands use several of its processors.
    private const int Writers = 2;
    private const int MinDocuments = 100;
    private const int MinStatements = 5;

    private readonly BulkWriteOptions _bulk = new() { IsOrdered = false, BypassDocumentValidation = run.Transform.BypassValidation ? true : null };
    private readonly UpdateDefinition<BsonDocument>? _update = run.Transform.Update switch
    {
        BsonArray stages => new BsonDocumentStagePipelineDefinition<BsonDocument, BsonDocument>(stages.Select(stage => stage.AsBsonDocument)),
        BsonDocument update => update,
        _ => null,
    };

    /// <summary>Into how many ranges of keys so many documents are divided, to be updated at the same time.</summary>
    /// <param name="documents">How many documents.</param>
    public static int RangesOf(int documents) => documents < Writers * MinDocuments ? 1 : Writers;

    /// <summary>Lets the server update the documents of some ranges of keys.</summary>
    /// <param name="ranges">Conditions on the key, none of which overlap.</param>
    /// <param name="cancellationToken">Cancels the commands.</param>
    /// <returns>Those that were selected and not changed.</returns>
    public async Task<IReadOnlyList<PreparedDocument>> UpdateAsync(IReadOnlyList<BsonDocument> ranges, CancellationToken cancellationToken)
    {
        var unchanged = await Task.WhenAll(ranges.Select(range => UpdateRangeAsync(range, cancellationToken)));
        return [.. unchanged.SelectMany(part => part)];
    }

    /// <summary>Writes documents that were rewritten here.</summary>
    /// <param name="statements">The statements.</param>
    /// <param name="cancellationToken">Cancels the commands.</param>
    /// <returns>Whether all were written; if not, others changed some meanwhile, or the server refused them.</returns>
    public async Task<bool> WriteAsync(IReadOnlyList<RewriteStatement> statements, CancellationToken cancellationToken)
    {
        var all = await Task.WhenAll(Parts(statements, MinStatements).Select(async part =>
        {
            var (result, _) = await BulkAsync(part.Select(statement => statement.Model), cancellationToken);
            return result.MatchedCount == part.Sum(statement => statement.Documents.Count);
        }));
        return !all.Contains(false);
    }

    /// <summary>Which of some documents the transform selects at this moment.</summary>
    /// <param name="documents">The documents.</param>
    /// <param name="cancellationToken">Cancels the query.</param>
    public async Task<IReadOnlyList<PreparedDocument>> SelectedAsync(IReadOnlyList<PreparedDocument> documents, CancellationToken cancellationToken)
    {
        if (documents.Count == 0)
        {
            return [];
        }

        var keys = new BsonDocument("_id", new BsonDocument("$in", new BsonArray(documents.Select(document => document.Id))));
        var selected = (await reader.SelectedAsync(keys, cancellationToken)).Select(document => document.Id).ToHashSet();
        return [.. documents.Where(document => selected.Contains(document.Id))];
    }

    /// <summary>Updates one document that was not rewritten here, as long as the transform selects it.</summary>
    /// <param name="id">Its key.</param>
    /// <param name="before">What it must be as a whole; null for anything.</param>
    /// <param name="cancellationToken">Cancels the command.</param>
    /// <returns>The document as this update left it; null when it was not selected, or not as it must be.</returns>
    public Task<BsonDocument?> UpdateOneAsync(BsonValue id, BsonDocument? before, CancellationToken cancellationToken)
    {
        var conditions = new BsonArray { new BsonDocument("_id", id), run.Transform.Needed };
        if (before is not null)
        {
            conditions.Add(new BsonDocument("$expr", new BsonDocument("$eq", new BsonArray { "$$ROOT", new BsonDocument("$literal", before) })));
        }

        return FindAndUpdateAsync(new BsonDocument("$and", conditions), _update!, cancellationToken);
    }

    /// <summary>Writes one document that was rewritten here, as long as it is as it was read.</summary>
    /// <param name="document">The document.</param>
    /// <param name="cancellationToken">Cancels the command.</param>
    /// <returns>The document as this update left it; null when others changed it.</returns>
    public Task<BsonDocument?> WriteOneAsync(PreparedDocument document, CancellationToken cancellationToken) =>
        FindAndUpdateAsync(RewriteStatement.Unchanged(run.Transform, document), RewriteGroup.ToDefinition(document.Change.Update!), cancellationToken);

    /// <summary>Writes one document that is too long to be compared with what it was: in a transaction it cannot change in between.</summary>
    /// <param name="document">The document.</param>
    /// <param name="cancellationToken">Cancels the commands.</param>
    /// <returns>Whether it was written; if not, others changed it.</returns>
    public async Task<bool> WriteTooLongAsync(PreparedDocument document, CancellationToken cancellationToken)
    {
        using var session = await run.Collection.Database.Client.StartSessionAsync(cancellationToken: cancellationToken);
        var fields = new BsonDocument(run.Transform.Reads.Prepend("_id").Select(field => new BsonElement(field, 1)));
        var written = await session.WithTransactionAsync(
            async (transaction, token) =>
            {
                var now = await run.Collection.Find(transaction, new BsonDocument("_id", document.Id)).Project<BsonDocument>(fields).FirstOrDefaultAsync(token);
                if (now is null || !now.ToBson().AsSpan().SequenceEqual(document.Document.ToBson()))
                {
                    return false;
                }

                var options = new UpdateOptions { BypassDocumentValidation = _bulk.BypassDocumentValidation };
                await run.Collection.UpdateOneAsync(
                    transaction, new BsonDocument("_id", document.Id), RewriteGroup.ToDefinition(document.Change.Update!), options, token);
                return true;
            },
            cancellationToken: cancellationToken);
        run.AddWritten(written ? 1 : 0);
        return written;
    }

    private async Task<IReadOnlyList<PreparedDocument>> UpdateRangeAsync(BsonDocument keys, CancellationToken cancellationToken)
    {
        var (result, refused) = await UpdateManyAsync(keys, cancellationToken);
        if (refused is null && result.MatchedCount == result.ModifiedCount)
        {
            return [];
        }

        var left = await reader.SelectedAsync(keys, cancellationToken);
        return refused is null || left.Count == 0 ? left : await UpdateHalvesAsync([.. left], refused, cancellationToken);
    }

    // The refused ones are found by halving: they are few as a rule.
    private async Task<IReadOnlyList<PreparedDocument>> UpdateHalvesAsync(
        PreparedDocument[] documents, string refused, CancellationToken cancellationToken)
    {
        if (documents.Length == 1)
        {
            run.AddUndone(documents[0].Id, refused);
            return [];
        }

        var half = documents.Length / 2;
        return [.. await UpdateDocumentsAsync(documents[..half], cancellationToken), .. await UpdateDocumentsAsync(documents[half..], cancellationToken)];
    }

    private async Task<IReadOnlyList<PreparedDocument>> UpdateDocumentsAsync(PreparedDocument[] documents, CancellationToken cancellationToken)
    {
        var keys = documents.Length == 1 ? documents[0].Id : new BsonDocument { { "$gte", documents[0].Id }, { "$lte", documents[^1].Id } };
        var (result, refused) = await UpdateManyAsync(new BsonDocument("_id", keys), cancellationToken);
        return refused is not null ? await UpdateHalvesAsync(documents, refused, cancellationToken)
            : result.MatchedCount == result.ModifiedCount ? []
            : await SelectedAsync(documents, cancellationToken);
    }

    private Task<(BulkWriteResult<BsonDocument> Result, string? Refused)> UpdateManyAsync(BsonDocument keys, CancellationToken cancellationToken) =>
        BulkAsync([new UpdateManyModel<BsonDocument>(reader.Selected(keys), _update!)], cancellationToken);

    // One document that is refused takes its statement with it, and no other statement.
    private async Task<(BulkWriteResult<BsonDocument> Result, string? Refused)> BulkAsync(
        IEnumerable<WriteModel<BsonDocument>> statements, CancellationToken cancellationToken)
    {
        try
        {
            var result = await run.Collection.BulkWriteAsync(statements, _bulk, cancellationToken);
            run.AddWritten(result.ModifiedCount);
            return (result, null);
        }
        catch (MongoBulkWriteException<BsonDocument> exception) when (exception.WriteErrors.Count > 0)
        {
            run.AddWritten(exception.Result.ModifiedCount);
            return (exception.Result, exception.WriteErrors[0].Message);
        }
    }

    private async Task<BsonDocument?> FindAndUpdateAsync(BsonDocument filter, UpdateDefinition<BsonDocument> update, CancellationToken cancellationToken)
    {
        var options = new FindOneAndUpdateOptions<BsonDocument, RawBsonDocument>
        {
            ReturnDocument = ReturnDocument.After,
            BypassDocumentValidation = _bulk.BypassDocumentValidation,
        };
        BsonDocument? after = await run.Collection.FindOneAndUpdateAsync(filter, update, options, cancellationToken);
        if (after is not null)
        {
            run.AddWritten(1);
        }

        return after;
    }

    private static IEnumerable<T[]> Parts<T>(IReadOnlyList<T> all, int atLeast) => all.Chunk(Math.Max(atLeast, (all.Count + Writers - 1) / Writers));
}
