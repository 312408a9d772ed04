using MongoDB.Bson;
using MongoDB.Driver;

namespace Platform.Migrator.Transforms;

/// <summary>Reads the documents that a transform looks at, with what the server has to calculate for them.</summary>
/// <param name="transform">The transform.</param>
/// <param name="collection">The collection.</param>
internal sealed class TransformReader(CollectionTransform transform, IMongoCollection<BsonDocument> collection)
{
    // A reply of a server ends at 16 MiB, whatever was asked for: documents are taken from so many replies at most.
    private const int MaxReplies = 2;
    private const int MaxConversionBytes = 4 * 1024 * 1024;
    private const int MaxConversions = 10_000;

    private const int MaxAskedBytes = RewriteStatement.MaxStatementBytes;

    private static readonly BsonDocument s_byKey = new("_id", 1);

    /// <summary>Reads documents, by key, and says what becomes of each; for a transform that examines them.</summary>
    /// <param name="keys">Which keys.</param>
    /// <param name="limit">How many documents at most.</param>
    /// <param name="cancellationToken">Cancels the query.</param>
    /// <returns>The documents, and whether these are all.</returns>
    public async Task<(IReadOnlyList<PreparedDocument> Documents, bool AreAll)> ReadAsync(BsonDocument keys, int limit, CancellationToken cancellationToken)
    {
        var found = new List<RawBsonDocument>();
        var areAll = true;
        using (var cursor = await OpenAsync(keys, limit, cancellationToken))
        {
            for (var replies = 0; await cursor.MoveNextAsync(cancellationToken); replies++)
            {
                found.AddRange(cursor.Current);
                if (replies + 1 == MaxReplies || found.Count >= limit)
                {
                    areAll = false;
                    break;
                }
            }
        }

        var documents = found.ConvertAll(ExactDocument.Read);
        var computed = transform.ConvertsTo is null ? documents.ConvertAll(Computed) : await ConvertAsync(documents, cancellationToken);
        return ([.. documents.Select((document, i) => Prepare(found[i], document, computed[i]))], areAll);
    }

    /// <summary>Finds where so many documents end, by key, without reading them: an update that the server does by itself needs no more.</summary>
    /// <param name="keys">Which keys.</param>
    /// <param name="size">How many documents.</param>
    /// <param name="cancellationToken">Cancels the query.</param>
    /// <returns>The last of the documents, null when there is none; and whether these are all, which may be fewer.</returns>
    public async Task<(PreparedDocument? Last, bool AreAll)> FindEndAsync(BsonDocument keys, int size, CancellationToken cancellationToken)
    {
        var found = collection.Find(Selected(keys)).Project<RawBsonDocument>(Fields());
        if (await found.Sort(s_byKey).Skip(size - 1).Limit(1).FirstOrDefaultAsync(cancellationToken) is { } end)
        {
            return (Unexamined(end), AreAll: false);
        }

        var last = await found.Sort(new BsonDocument("_id", -1)).Skip(0).Limit(1).FirstOrDefaultAsync(cancellationToken);
        return (last is null ? null : Unexamined(last), AreAll: true);
    }

    /// <summary>Reads those of some keys that the transform selects at this moment, in their order.</summary>
    /// <param name="keys">Which keys.</param>
    /// <param name="cancellationToken">Cancels the query.</param>
    public async Task<IReadOnlyList<PreparedDocument>> SelectedAsync(BsonDocument keys, CancellationToken cancellationToken)
    {
        var found = await collection.Find(Selected(keys)).Project<RawBsonDocument>(new BsonDocument("_id", 1)).Sort(s_byKey).ToListAsync(cancellationToken);
        return found.ConvertAll(Unexamined);
    }

    private static PreparedDocument Unexamined(RawBsonDocument raw) => new(raw, [], new DocumentChange(null), raw.Slice.Length);

    /// <summary>The condition on a document that it has one of some keys, and the transform selects it.</summary>
    /// <param name="keys">Which keys.</param>
    public BsonDocument Selected(BsonDocument keys) => new("$and", new BsonArray { keys, transform.Needed });

    private PreparedDocument Prepare(RawBsonDocument raw, BsonDocument? document, IReadOnlyList<BsonValue?> computed) => document is null
        ? new PreparedDocument(
            raw,
            [],
            new DocumentChange(null, "it has what cannot be read and written again to the byte, such as two fields of one name or text that is not UTF-8"),
            raw.Slice.Length)
        : new PreparedDocument(document, computed, transform.Examine!(document, computed), raw.Slice.Length);

    /// <summary>Whether a document, as it is given, still needs the change.</summary>
    /// <param name="document">The whole document. One that is too long to be asked about is taken for done.</param>
    /// <param name="cancellationToken">Cancels the query.</param>
    public async Task<bool> IsStillNeededAsync(BsonDocument document, CancellationToken cancellationToken) =>
        document.ToBson().Length <= MaxAskedBytes
        && (await EvaluateAsync([document], [new BsonDocument("$match", transform.Needed)], cancellationToken)).Count > 0;

    /// <summary>Counts the documents that need the change.</summary>
    /// <param name="cancellationToken">Cancels the query.</param>
    public async Task<long> CountAsync(CancellationToken cancellationToken)
    {
        if (!transform.NeedsToBeExamined)
        {
            return await collection.CountDocumentsAsync(transform.Needed, cancellationToken: cancellationToken);
        }

        // What is computed does not matter for whether it is needed.
        var count = 0L;
        using var cursor = await collection.Find(transform.Needed).Project<RawBsonDocument>(Fields()).ToCursorAsync(cancellationToken);
        while (await cursor.MoveNextAsync(cancellationToken))
        {
            count += cursor.Current.Select(ExactDocument.Read)
                .Count(document => document is null || transform.Examine!(document, NoValues(document)) is { Update: not null } or { Problem: not null });
        }

        return count;

        BsonValue?[] NoValues(BsonDocument document) => new BsonValue?[transform.Convertible?.Invoke(document).Count ?? 1];
    }

    private BsonDocument Fields() => new(transform.Reads.Prepend("_id").Select(field => new BsonElement(field, 1)));

    private Task<IAsyncCursor<RawBsonDocument>> OpenAsync(BsonDocument keys, int limit, CancellationToken cancellationToken)
    {
        var filter = Selected(keys);
        var fields = Fields();
        if (transform.Expression is null)
        {
            // All in one reply: for a second one DocumentDB would keep the rest in a file.
            return collection.Find(filter, new FindOptions { BatchSize = limit })
                .Project<RawBsonDocument>(fields)
                .Sort(s_byKey)
                .Limit(limit)
                .ToCursorAsync(cancellationToken);
        }

        fields.Add(ComputedField(transform), 1);
        return collection.AggregateAsync(
            new BsonDocumentStagePipelineDefinition<BsonDocument, RawBsonDocument>(
            [
                new BsonDocument("$match", filter),
                new BsonDocument("$sort", s_byKey),
                new BsonDocument("$limit", limit),
                new BsonDocument("$set", new BsonDocument(ComputedField(transform), transform.Expression)),
                new BsonDocument("$project", fields),
            ]),
            new AggregateOptions { BatchSize = limit },
            cancellationToken);
    }

    private static string ComputedField(CollectionTransform transform) =>
        transform.Reads.Contains("computed", StringComparer.Ordinal) ? "computed_" : "computed";

    // Takes what was calculated out of the document again.
    private IReadOnlyList<BsonValue?> Computed(BsonDocument? document)
    {
        if (transform.Expression is null || document is null)
        {
            return [];
        }

        var field = ComputedField(transform);
        var value = document.GetValue(field, null);
        document.Remove(field);
        return [value];
    }

    private async Task<List<IReadOnlyList<BsonValue?>>> ConvertAsync(List<BsonDocument?> documents, CancellationToken cancellationToken)
    {
        var values = documents.ConvertAll(document => document is null ? [] : transform.Convertible!(document));
        var converted = new List<BsonValue?>();
        foreach (var (chunk, bytes) in Chunks(
            [.. values.SelectMany(list => list).Select(value => new BsonDocument("v", value))], value => value.ToBson().Length))
        {
            if (bytes > MaxAskedBytes)
            {
                converted.Add(null);
                continue;
            }

            var convert =
                new BsonDocument { { "input", "$v" }, { "to", transform.ConvertsTo! }, { "onError", new BsonDocument("$literal", BsonMaxKey.Value) } };
            var results = await EvaluateAsync(
                [.. chunk.Select((value, i) => new BsonDocument { { "_id", i }, { "v", value["v"] } })],
                [new BsonDocument("$project", new BsonDocument("v", new BsonDocument("$convert", convert)))],
                cancellationToken);
            converted.AddRange(
                results.Select(ExactDocument.Read).OrderBy(result => result!["_id"].AsInt32).Select(result => result!["v"] is BsonMaxKey ? null : result["v"]));
        }

        var at = 0;
        return values.ConvertAll(list => (IReadOnlyList<BsonValue?>)converted.GetRange((at += list.Count) - list.Count, list.Count));
    }

    // https://www.mongodb.com/docs/manual/reference/operator/aggregation/documents/
    private async Task<List<RawBsonDocument>> EvaluateAsync(IReadOnlyList<BsonDocument> documents, BsonDocument[] stages, CancellationToken cancellationToken)
    {
        var given = new BsonDocument("$documents", new BsonDocument("$literal", new BsonArray(documents)));
        using var cursor = await collection.Database.WithReadConcern(ReadConcern.Default).AggregateAsync(
            new BsonDocumentStagePipelineDefinition<NoPipelineInput, RawBsonDocument>([given, .. stages]),
            new AggregateOptions { BatchSize = documents.Count + 1 },
            cancellationToken);
        return await cursor.ToListAsync(cancellationToken);
    }

    private static IEnumerable<(IReadOnlyList<T> Items, int Bytes)> Chunks<T>(IReadOnlyList<T> all, Func<T, int> bytesOf)
    {
        var chunk = new List<T>();
        var bytes = 0;
        foreach (var item in all)
        {
            var itemBytes = bytesOf(item);
            if (chunk.Count == MaxConversions || (chunk.Count > 0 && bytes + itemBytes > MaxConversionBytes))
            {
                yield return (chunk, bytes);
                chunk = [];
                bytes = 0;
            }

            chunk.Add(item);
            bytes += itemBytes;
        }

        if (chunk.Count > 0)
        {
            yield return (chunk, bytes);
        }
    }
}
