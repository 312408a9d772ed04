using System.Globalization;
using Microsoft.Extensions.Logging;
using MongoDB.Bson;
using MongoDB.Driver;

namespace Platform.Migrator.Transforms;

/// <summary>One run of a transform: what it works on, and what came of it so far.</summary>
/// <param name="transform">The transform.</param>
/// <param name="collection">The collection.</param>
/// <param name="logger">Where documents that could not be rewritten are named.</param>
internal sealed class TransformRun(CollectionTransform transform, IMongoCollection<BsonDocument> collection, ILogger logger)
{
    // So many documents are named in the log, and so many in the sentence; all are counted.
    private const int Named = 20;
    private const int NamedInSentence = 3;
    private const int MaxIdLength = 100;
    private const int MaxReasonLength = 300;

    private readonly Lock _gate = new();
    private readonly List<UndoneDocument> _undone = [];
    private long _undoneCount;
    private long _documents;

    public CollectionTransform Transform => transform;

    public IMongoCollection<BsonDocument> Collection => collection;

    public long Total { get; set; }

    /// <summary>How many documents earlier runs rewrote.</summary>
    public long Before { get; set; }

    /// <summary>How many documents this run rewrote.</summary>
    public long Documents => Interlocked.Read(ref _documents);

    public int Batches { get; set; }

    public int Samples { get; private set; }

    public long Obstructed { get; private set; }

    /// <summary>Takes down what is to be said of a document as it was examined.</summary>
    public void Note(PreparedDocument document)
    {
        var change = document.Change;
        if (change.Problem is { } problem)
        {
            AddUndone(document.Id, problem);
        }

        if (change.IsObstructed && Obstructed++ < Named)
        {
            TransformLog.Obstructed(logger, transform.Name, transform.Collection, Shown(document.Id));
        }
    }

    /// <summary>Counts documents that were written; called by several writers at once.</summary>
    public void AddWritten(long documents) => Interlocked.Add(ref _documents, documents);

    /// <summary>Takes down a document that could not be rewritten; called by several writers at once.</summary>
    public void AddUndone(BsonValue id, string reason)
    {
        lock (_gate)
        {
            _undoneCount++;
            if (_undone.Count < Named)
            {
                var told = Shorten(reason.ReplaceLineEndings(" ").Trim().TrimEnd('.'), MaxReasonLength);
                _undone.Add(new UndoneDocument(id, told));
                TransformLog.Undone(logger, transform.Name, transform.Collection, Shown(id), told);
            }
        }
    }

    /// <exception cref="TransformException">Some documents could not be rewritten.</exception>
    public void RequireAllDone()
    {
        if (_undoneCount == 0)
        {
            return;
        }

        var named = _undone.Take(NamedInSentence).Select(document => $"_id {Shown(document.Id)} ({document.Reason})");
        throw new TransformException(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{_undoneCount} {(_undoneCount == 1 ? "document" : "documents")} of {transform.Collection} could not be "
                    + $"rewritten{(_undoneCount > NamedInSentence ? ", such as" : ":")} {string.Join(", ", named)}; the others are done."),
            [.. _undone]);
    }

    /// <summary>Compares a document before and after.</summary>
    /// <param name="document">The document as it was prepared.</param>
    /// <param name="before">What is known of it before: the fields that were read, or all.</param>
    /// <param name="after">The document as this run left it.</param>
    /// <exception cref="TransformException">It is not as it should be.</exception>
    public void Judge(PreparedDocument document, BsonDocument before, BsonDocument after)
    {
        if (transform.Judge(document.Change, before, after) is { } problem)
        {
            throw Wrong(document.Id, problem);
        }

        Samples++;
    }

    /// <summary>What to throw for a document that was rewritten wrongly.</summary>
    public TransformException Wrong(BsonValue id, string problem) =>
        new($"The document {Shown(id)} of {transform.Collection} was rewritten wrongly: {problem}.", []);

    private static string Shown(BsonValue id) => Shorten(id.ToString() ?? "", MaxIdLength);

    private static string Shorten(string text, int length) => text.Length <= length ? text : text[..length] + "...";
}
