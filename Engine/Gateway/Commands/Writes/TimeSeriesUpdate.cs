using MongoDB.Bson;
using Platform.Gateway.Commands.Collections;
using Platform.Gateway.Errors;
using Platform.Gateway.Requests;
using Platform.Wire.Bson;
using Platform.Wire.Messages;

namespace Platform.Gateway.Commands.Writes;

/// <summary>
/// An update of a time series of which some statements are refused: the others are run, as far as the order lets them, and the reply tells of both.
/// </summary>
internal sealed class TimeSeriesUpdate
{
    private readonly RawDocument _body;
    private readonly List<int> _allowed = [];
    private readonly List<ReadOnlyMemory<byte>> _statements = [];
    private readonly List<(int Index, string Message)> _refused = [];
    private readonly bool _isOrdered;

    private TimeSeriesUpdate(RawDocument body) =>
        (_body, _isOrdered) = (body, !(body.TryGet("ordered"u8, out var ordered) && !ordered.Truthy));

    /// <summary>The update; null when none of its statements is refused.</summary>
    public static TimeSeriesUpdate? Of(TimeSeriesRules rules, RawDocument body, DocumentSequence? sequence)
    {
        var update = new TimeSeriesUpdate(body);
        foreach (var (index, statement) in Statements(body, sequence).Index())
        {
            if (update._isOrdered && update._refused.Count > 0)
            {
                break;
            }

            if (rules.Refusal(statement) is { } refusal)
            {
                update._refused.Add((index, refusal));
            }
            else
            {
                update._allowed.Add(index);
                update._statements.Add(statement.Bytes);
            }
        }

        return update._refused.Count == 0 ? null : update;
    }

    /// <summary>Runs what is not refused.</summary>
    /// <param name="run">Runs an update with other statements.</param>
    public async ValueTask<ReadOnlyMemory<byte>> RunAsync(Func<RawDocument, DocumentSequence?, ValueTask<ReadOnlyMemory<byte>>> run)
    {
        var reply = new BsonDocument { { "n", 0 }, { "nModified", 0 } };
        var errors = new List<BsonDocument>();
        if (_allowed.Count > 0)
        {
            var documents = new System.Buffers.ArrayBufferWriter<byte>();
            foreach (var statement in _statements)
            {
                System.Buffers.BuffersExtensions.Write(documents, statement.Span);
            }

            reply = new RawDocument(await run(
                new RawDocument(BsonBuilder.Without(_body, "updates")), new DocumentSequence("updates", documents.WrittenMemory, _allowed.Count))).ToTree();
            foreach (var error in reply.GetValue("writeErrors", new BsonArray()).AsBsonArray.Cast<BsonDocument>())
            {
                error["index"] = _allowed[error["index"].ToInt32()];
                errors.Add(error);
            }
        }

        if (!_isOrdered || errors.Count == 0)
        {
            errors.AddRange(_refused.Select(refused => new BsonDocument
            {
                { "index", refused.Index }, { "code", (int)ErrorCode.InvalidOptions }, { "errmsg", refused.Message },
            }));
        }

        reply["writeErrors"] = new BsonArray(errors.OrderBy(error => error["index"].ToInt32()));
        reply.Remove("ok");
        return Reply.With(reply);
    }

    private static List<RawDocument> Statements(RawDocument body, DocumentSequence? sequence)
    {
        var statements = new List<RawDocument>();
        if (sequence is { } documents)
        {
            foreach (var statement in documents)
            {
                statements.Add(statement);
            }
        }
        else if (body.TryGet("updates"u8, out var list) && list.Type == BsonType.Array)
        {
            foreach (var statement in list.Document)
            {
                if (statement.Type == BsonType.Document)
                {
                    statements.Add(statement.Document);
                }
            }
        }

        return statements;
    }
}
