using MongoDB.Bson;
using Platform.Gateway.Backend;
using Platform.Gateway.Cursors;
using Platform.Gateway.Errors;
using Platform.Gateway.Requests;
using Platform.Gateway.Transactions;
using Platform.Wire.Bson;
using Platform.Wire.Messages;

namespace Platform.Gateway.Corrections;

/// <summary>
/// In a transaction the backend holds at most one sorted or grouped result open; opening a second one closes the first.
/// So the rest of the first is read into memory before the second is opened. It may go when in one transaction two sorted finds with
/// <c>batchSize: 2</c> can be read in turns to their ends.
/// </summary>
internal sealed class HeldCursors(CursorStore cursors)
{
    /// <summary>How much of one result is kept in memory, in bytes.</summary>
    private const long Limit = 64L * 1024 * 1024;

    /// <summary>
    /// Whether a continuation made in a transaction stands for a result that the backend holds open: its field "qp" says
    /// so. Others carry the query and their position.
    /// </summary>
    public static bool IsHeld(ReadOnlyMemory<byte> continuation) =>
        new RawDocument(continuation).TryGet("qp"u8, out var persisted) && persisted.Truthy;

    /// <summary>
    /// Reads the transaction's held result, if there is one, to its end. Throws <see cref="CommandException"/> with
    /// <see cref="ErrorCode.ExceededMemoryLimit"/> when it is too large.
    /// </summary>
    public async ValueTask ReadAheadAsync(Transaction transaction, CancellationToken cancellationToken)
    {
        if (cursors.HeldBy(transaction) is not { } cursor)
        {
            return;
        }

        var documents = new Queue<ReadOnlyMemory<byte>>();
        var size = 0L;
        var request = new BsonDocument { { "getMore", cursor.Id }, { "collection", cursor.Collection }, { "batchSize", 100_000 } }.ToBson();
        for (var more = true; more;)
        {
            await using var reader = await transaction.Connection.Command(Statements.GetMore)
                .With(0, cursor.Database)
                .With<ReadOnlyMemory<byte>>(1, request)
                .With(2, cursor.Continuation)
                .ReadAsync(cancellationToken);
            await reader.ReadAsync(cancellationToken);
            var page = new RawDocument(reader.GetFieldValue<byte[]>(0));
            more = !reader.IsDBNull(1);
            if (more)
            {
                cursor.Continuation = reader.GetFieldValue<byte[]>(1);
            }

            size += page.Bytes.Length;
            if (size > Limit)
            {
                throw new CommandException(
                    ErrorCode.ExceededMemoryLimit,
                    $"A transaction with several open sorted results can keep {Limit / 1024 / 1024} MB of each; read the first one to its end before "
                        + $"opening another.");
            }

            if (!page.TryGet("cursor"u8, out var body))
            {
                throw new CommandException(ErrorCode.InternalError, "The backend's page has no cursor.");
            }

            foreach (var field in body.Document)
            {
                if (field.Is("ns"u8))
                {
                    cursor.Namespace = field.Text;
                }
                else if (field.Is("nextBatch"u8))
                {
                    foreach (var document in field.Document)
                    {
                        documents.Enqueue(document.Value);
                    }
                }
            }
        }

        cursor.ReadAhead = documents;
        cursor.IsHeld = false;
    }

    /// <summary>The next page of a result that was read ahead.</summary>
    public static ReadOnlyMemory<byte> NextPage(Cursor cursor, Request request)
    {
        const int largestPage = WireLimits.MaxDocumentLength;
        var ahead = cursor.ReadAhead ?? throw new InvalidOperationException("The cursor was not read ahead.");
        var limit = request.TryGet("batchSize"u8, out var asked) && asked.Integer is > 0 and var count ? count : long.MaxValue;
        var page = new List<ReadOnlyMemory<byte>>();
        var size = 0;
        while (page.Count < limit && ahead.TryPeek(out var document) && (page.Count == 0 || size + document.Length < largestPage))
        {
            page.Add(ahead.Dequeue());
            size += document.Length;
        }

        return new BsonBuilder(size + 256)
            .Start("cursor"u8)
            .Add("id"u8, ahead.Count == 0 ? 0L : cursor.Id)
            .Add("ns"u8, cursor.Namespace ?? "")
            .AddArray("nextBatch"u8, page)
            .End()
            .Add("ok"u8, 1.0)
            .Finish();
    }
}
