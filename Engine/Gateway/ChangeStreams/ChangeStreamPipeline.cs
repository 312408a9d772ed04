using System.Globalization;
using System.Text;
using MongoDB.Bson;
using Platform.Gateway.Backend;
using Platform.Gateway.Errors;
using Platform.Wire.Bson;

namespace Platform.Gateway.ChangeStreams;

/// <summary>The stages behind <c>$changeStream</c>. The backend runs them over the events, page by page, as it runs any pipeline over documents.</summary>
internal sealed class ChangeStreamPipeline
{
    private static readonly string[] s_allowed =
        ["$match", "$project", "$addFields", "$set", "$unset", "$replaceRoot", "$replaceWith", "$redact"];

    private readonly RawElement[] _stages;
    private readonly string _database;
    private readonly ChangeFilter? _filter;

    private ChangeStreamPipeline(RawElement[] stages, string database)
    {
        _stages = stages;
        _database = database;
        var first = stages[0].Document.First;
        _filter = first.Is("$match"u8) && first.Type == BsonType.Document ? ChangeFilter.Of(first.Document) : null;
    }

    /// <summary>Whether anything can come out for a change; null when that is not known before.</summary>
    public bool? Admits(Change change) => _filter?.Admits(change);

    /// <summary>Whether there is nothing to do for events that are admitted.</summary>
    public bool IsFilter => _filter is not null && _stages.Length == 1;

    /// <summary>
    /// The stages of a pipeline behind the first one; null when there are none. Throws <see cref="CommandException"/> for one that is not allowed.
    /// They are copied: the message that has them is gone long before the stream is.
    /// </summary>
    public static ChangeStreamPipeline? Of(RawDocument pipeline, string database)
    {
        List<RawElement> stages = [];
        var isFirst = true;
        foreach (var stage in new RawDocument(pipeline.Bytes.ToArray()))
        {
            if (!isFirst)
            {
                stages.Add(Checked(stage));
            }

            isFirst = false;
        }

        return stages.Count == 0 ? null : new ChangeStreamPipeline([.. stages], database);
    }

    /// <summary>
    /// Runs the stages over events and returns what comes out. Throws <see cref="CommandException"/> when that has lost a token.
    /// </summary>
    public async ValueTask<List<ReadOnlyMemory<byte>>> RunAsync(
        BackendConnection connection, IReadOnlyList<ReadOnlyMemory<byte>> events, CancellationToken cancellationToken)
    {
        await using var reader = await connection.Command(Statements.Aggregate)
            .With(0, _database).With(1, Command(events)).ReadAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        var page = new RawDocument(reader.GetBytes(0));
        if (!reader.IsDBNull(1))
        {
            throw new CommandException(ErrorCode.BsonObjectTooLarge, "What the pipeline makes of an event is larger than a reply can be.");
        }

        var results = new List<ReadOnlyMemory<byte>>();
        var next = 0;
        page.TryGet("cursor"u8, out var cursor);
        cursor.Document.TryGet("firstBatch"u8, out var batch);
        foreach (var result in batch.Document)
        {
            while (next < events.Count && !HasToken(result.Document, events[next]))
            {
                next++;
            }

            results.Add(next++ < events.Count
                ? result.Value
                : throw new CommandException(
                    ErrorCode.ChangeStreamFatalError,
                    "Encountered an event whose _id field, which contains the resume token, was modified by the pipeline. Modifying the _id field of an event "
                        + "makes it impossible to resume the stream from that point. Only transformations that retain the unmodified _id field are allowed.",
                    "NonResumableChangeStreamError"));
        }

        return results;
    }

    private static RawElement Checked(in RawElement stage)
    {
        if (stage.Type != BsonType.Document || stage.Document.Count() != 1)
        {
            throw new CommandException((ErrorCode)40323, "A pipeline stage specification object must contain exactly one field.");
        }

        var name = stage.Document.First.NameText;
        return name switch
        {
            _ when s_allowed.Contains(name) => stage,
            "$changeStream" => throw new CommandException((ErrorCode)40602, "$changeStream is only valid as the first stage in a pipeline"),
            "$changeStreamSplitLargeEvent" => throw new CommandException(
                ErrorCode.CommandNotSupported,
                "The stage $changeStreamSplitLargeEvent is not supported: an event that is too large ends the stream with an error."),
            _ => throw new CommandException(ErrorCode.IllegalOperation, $"{name} is not permitted in a $changeStream pipeline"),
        };
    }

    private static bool HasToken(RawDocument result, ReadOnlyMemory<byte> written) =>
        result.TryGet("_id"u8, out var id) && id.Whole.Span.SequenceEqual(new RawDocument(written).First.Whole.Span);

    private ReadOnlyMemory<byte> Command(IReadOnlyList<ReadOnlyMemory<byte>> events)
    {
        var command = new BsonBuilder(256 + events.Sum(e => e.Length + 32))
            .Add("aggregate"u8, 1)
            .Start("pipeline"u8, BsonType.Array)
            .Start("0"u8).Start("$documents"u8, BsonType.Array);
        for (var i = 0; i < events.Count; i++)
        {
            command.Start(Place(i)).Add("$literal"u8, BsonType.Document, events[i].Span).End();
        }

        command.End().End();
        for (var i = 0; i < _stages.Length; i++)
        {
            command.Add(Place(i + 1), _stages[i]);
        }

        return command.End().Start("cursor"u8).Add("batchSize"u8, int.MaxValue).End().Finish();
    }

    private static byte[] Place(int index) => Encoding.UTF8.GetBytes(index.ToString(CultureInfo.InvariantCulture));
}
