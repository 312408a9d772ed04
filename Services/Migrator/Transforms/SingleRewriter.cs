using MongoDB.Bson;
using MongoDB.Driver;

namespace Platform.Migrator.Transforms;

/// <summary>
/// Rewrites documents one by one: samples, those that others changed while their batch was written, and those that the server refused
/// to write together with others.
/// </summary>
/// <param name="run">The run.</param>
/// <param name="reader">Reads documents.</param>
/// <param name="writer">Writes them.</param>
internal sealed class SingleRewriter(TransformRun run, TransformReader reader, TransformWriter writer)
{
    private const int Attempts = 10;
    private const int MaxSampleBytes = 1024 * 1024;

    // https://github.com/mongodb/mongo/blob/master/src/mongo/base/error_codes.yml
    private const int Unauthorized = 13;

    /// <summary>Rewrites a document, and looks at it before anybody else can have changed it.</summary>
    /// <param name="sample">The document.</param>
    /// <param name="cancellationToken">Cancels the commands.</param>
    /// <returns>Whether that was possible; if not, nothing was written.</returns>
    /// <exception cref="TransformException">It was rewritten wrongly.</exception>
    public async Task<bool> SampleAsync(PreparedDocument sample, CancellationToken cancellationToken)
    {
        var before = sample.Document;
        if (run.Transform.Examine is null)
        {
            // Not parsed: what it holds may be such that no program of .NET can read it.
            var whole = await run.Collection.Find(new BsonDocument("_id", sample.Id)).As<RawBsonDocument>().FirstOrDefaultAsync(cancellationToken);
            if (whole is null || whole.Slice.Length > MaxSampleBytes)
            {
                return false;
            }

            before = whole;
        }

        var after = await UnlessRefusedAsync(() => run.Transform.Examine is null
            ? writer.UpdateOneAsync(sample.Id, before, cancellationToken)
            : writer.WriteOneAsync(sample, cancellationToken));
        if (after is null)
        {
            return false;
        }

        if (await WhyStillNeededAsync(after, cancellationToken) is not { } why)
        {
            run.Judge(sample, before, after);
            return true;
        }

        // An update of the server's that is nothing for this document may be right for the others.
        return run.Transform.Examine is null ? false : throw run.Wrong(sample.Id, why);
    }

    /// <summary>Rewrites documents that still need it, unless they no longer do; names those that cannot be.</summary>
    /// <param name="documents">The documents as they were read.</param>
    /// <param name="cancellationToken">Cancels the commands.</param>
    public async Task RewriteAsync(IEnumerable<PreparedDocument> documents, CancellationToken cancellationToken)
    {
        foreach (var document in documents)
        {
            try
            {
                if (await RewriteAsync(document, cancellationToken) is { } problem)
                {
                    run.AddUndone(document.Id, problem);
                }
            }
            catch (MongoException exception) when (IsAboutDocument(exception))
            {
                run.AddUndone(document.Id, (exception as MongoCommandException)?.ErrorMessage ?? exception.Message);
            }
        }
    }

    // Returns why it could not be; null when it was, or need not be.
    private async Task<string?> RewriteAsync(PreparedDocument first, CancellationToken cancellationToken)
    {
        if (run.Transform.Examine is null)
        {
            return await writer.UpdateOneAsync(first.Id, before: null, cancellationToken) is { } updated
                ? await WhyStillNeededAsync(updated, cancellationToken)
                : null;
        }

        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            var (documents, _) = await reader.ReadAsync(new BsonDocument("_id", first.Id), 1, cancellationToken);
            if (documents is not [var document])
            {
                return null;
            }

            // What was said of it when it was read first is not said again.
            var problem = first.Change.Problem is null ? document.Change.Problem : null;
            if (document.Change.Update is null)
            {
                return problem;
            }

            if (document.Bytes > RewriteStatement.MaxStatementBytes)
            {
                if (document.Change.Update.ToBson().Length > RewriteStatement.MaxStatementBytes)
                {
                    return "its update is longer than a statement may be";
                }

                if (await writer.WriteTooLongAsync(document, cancellationToken))
                {
                    return problem;
                }
            }
            else if (await writer.WriteOneAsync(document, cancellationToken) is { } written)
            {
                return problem ?? await WhyStillNeededAsync(written, cancellationToken);
            }
        }

        return $"others changed it each of the {Attempts} times that it was tried";
    }

    private async Task<string?> WhyStillNeededAsync(BsonDocument after, CancellationToken cancellationToken) =>
        run.Transform.WhyStillNeeded is { } why && await reader.IsStillNeededAsync(after, cancellationToken) ? why : null;

    private static async Task<BsonDocument?> UnlessRefusedAsync(Func<Task<BsonDocument?>> write)
    {
        try
        {
            return await write();
        }
        catch (MongoException exception) when (IsAboutDocument(exception))
        {
            return null;
        }
    }

    // Anything else that a server says of one command for one document is taken for a word about the document.
    private static bool IsAboutDocument(MongoException exception) =>
        exception is MongoCommandException { Code: not Unauthorized } or MongoWriteException { WriteError: not null }
        && exception is not (MongoNotPrimaryException or MongoNodeIsRecoveringException)
        && !exception.HasErrorLabel("RetryableWriteError") && !exception.HasErrorLabel("TransientTransactionError");
}
