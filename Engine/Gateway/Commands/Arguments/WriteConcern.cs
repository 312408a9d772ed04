using System.Buffers.Binary;
using MongoDB.Bson;
using Platform.Gateway.Backend;
using Platform.Gateway.Errors;
using Platform.Gateway.Topology;
using Platform.Wire.Bson;

namespace Platform.Gateway.Commands.Arguments;

/// <summary>
/// How many members have to have a write before it is acknowledged
/// (https://www.mongodb.com/docs/manual/reference/write-concern/). A command that names none asks for a majority. As in the server, a
/// write whose concern is not met has taken place; the reply says that the promise was not kept.
/// </summary>
internal readonly struct WriteConcern
{
    private readonly RawElement _given;

    private WriteConcern(RawElement given, int? members, ErrorCode? unmet, TimeSpan limit)
    {
        _given = given;
        Members = members;
        Unmet = unmet;
        Limit = limit;
    }

    /// <summary>How many members have to have it; null for a majority.</summary>
    public int? Members { get; }

    /// <summary>Why no write can meet it: more members than there are, or a mode that the replica set does not define. Null when it can be met.</summary>
    public ErrorCode? Unmet { get; }

    /// <summary>How long members are waited for (<c>wtimeout</c>); zero for as long as it takes.</summary>
    public TimeSpan Limit { get; }

    /// <summary>
    /// What a commit of the backend has to wait for. Journaling is not asked for separately: what one member has to have is on its disk, and what a
    /// majority has to have is on theirs, whatever <c>j</c> is.
    /// </summary>
    public CommitWait Commits => Members switch
    {
        0 => CommitWait.Nothing,
        1 => CommitWait.Journal,
        _ => CommitWait.Majority,
    };

    /// <summary>Reads a concern. Throws <see cref="CommandException"/> when it is malformed.</summary>
    /// <param name="concern">The concern as the client gave it.</param>
    /// <param name="members">How many members hold data.</param>
    public static WriteConcern Read(in RawElement concern, int members)
    {
        if (concern.Type != BsonType.Document)
        {
            throw new CommandException(
                ErrorCode.TypeMismatch, $"\"writeConcern\" had the wrong type. Expected object, found {concern.Type.ToString().ToLowerInvariant()}");
        }

        var (journal, sync) = (false, false);
        (int? Count, ErrorCode? Unmet) asked = (null, null);
        var limit = TimeSpan.Zero;
        foreach (var field in concern.Document)
        {
            if (field.Is("w"u8))
            {
                asked = Asked(field, members);
            }
            else if (field.Is("j"u8))
            {
                journal = Flag(field);
            }
            else if (field.Is("fsync"u8))
            {
                sync = Flag(field);
            }
            else if (field.Is("wtimeout"u8))
            {
                limit = field.Integer is >= 0 and <= int.MaxValue and var milliseconds
                    ? TimeSpan.FromMilliseconds(milliseconds)
                    : throw new CommandException(
                        ErrorCode.FailedToParse, "wtimeout must be a whole number of milliseconds that is not negative and below 2^31");
            }
            else if (!field.Is("provenance"u8) && !field.Is("getLastError"u8) && !field.Is("wElectionId"u8) && !field.Is("wOpTime"u8))
            {
                throw new CommandException(ErrorCode.FailedToParse, $"unrecognized write concern field: {field.NameText}");
            }
        }

        return journal && sync
            ? throw new CommandException(ErrorCode.FailedToParse, "fsync and j options cannot be used together")
            : new WriteConcern(concern, asked.Count, asked.Unmet, limit);
    }

    /// <summary>A reply to a write that takes place although no write can meet the concern.</summary>
    public ReadOnlyMemory<byte> AddUnmet(ReadOnlyMemory<byte> reply) => Unmet switch
    {
        null => reply,
        ErrorCode.UnknownReplWriteConcern => AddTo(
            reply, ErrorCode.UnknownReplWriteConcern, $"No write concern mode named '{Fields()["w"]}' found in replica set configuration"),
        { } code => AddTo(reply, code, "Not enough data-bearing nodes"),
    };

    /// <summary>A reply to a write that took too long to reach the members.</summary>
    public ReadOnlyMemory<byte> AddOverdue(ReadOnlyMemory<byte> reply) =>
        AddTo(reply, ErrorCode.WriteConcernFailed, "waiting for replication timed out", isOverdue: true);

    /// <summary>A reply with what could not be promised; an error stays what it is.</summary>
    public ReadOnlyMemory<byte> AddTo(ReadOnlyMemory<byte> reply, ErrorCode code, string message, bool isOverdue = false)
    {
        var document = new RawDocument(reply);
        if (!document.TryGet("ok"u8, out var ok) || !ok.Truthy)
        {
            return reply;
        }

        var info = new BsonDocument();
        if (isOverdue)
        {
            info.Add("wtimeout", true);
        }

        var fields = Fields();
        info.Add("writeConcern", new BsonDocument
        {
            { "w", fields.GetValue("w", "majority") },
            { "wtimeout", fields.GetValue("wtimeout", 0) },
            { "provenance", _given.Type == BsonType.Document ? "clientSupplied" : "implicitDefault" },
        });
        var error = new BsonDocument { { "code", (int)code }, { "codeName", code.ToString() }, { "errmsg", message }, { "errInfo", info } };
        var builder = new BsonBuilder(reply.Length + 256);
        foreach (var element in document)
        {
            builder.Add(element);
        }

        return builder.Add("writeConcernError"u8, BsonType.Document, error.ToBson()).Finish();
    }

    private BsonDocument Fields() => _given.Type == BsonType.Document ? _given.Document.ToTree() : [];

    private static (int? Members, ErrorCode? Unmet) Asked(in RawElement w, int members)
    {
        switch (w.Type)
        {
            case BsonType.Int32 or BsonType.Int64 or BsonType.Double:
                var count = w.Type == BsonType.Double ? BinaryPrimitives.ReadDoubleLittleEndian(w.Value.Span) : w.Integer!.Value;
                return count is >= 0 and <= ReplicaSet.MostMembers
                    ? count > members ? (null, ErrorCode.UnsatisfiableWriteConcern) : ((int)count, null)
                    : throw new CommandException(
                        ErrorCode.FailedToParse, $"w has to be a non-negative number and not greater than {ReplicaSet.MostMembers}; found: {count}");
            case BsonType.String:
                return (null, w.StringBytes.SequenceEqual("majority"u8) ? null : ErrorCode.UnknownReplWriteConcern);
            case BsonType.Document:
                var tags = 0;
                foreach (var tag in w.Document)
                {
                    tags++;
                    if (tag.Type is not (BsonType.Int32 or BsonType.Int64 or BsonType.Double))
                    {
                        throw new CommandException(ErrorCode.FailedToParse, $"tags must be numbers; found {tag.NameText}");
                    }
                }

                return tags == 0
                    ? throw new CommandException(ErrorCode.FailedToParse, "tagged write concern requires tags")
                    : (null, ErrorCode.UnsatisfiableWriteConcern);
            case BsonType.Null or BsonType.Undefined:
                return (null, null);
            default:
                throw new CommandException(ErrorCode.FailedToParse, $"w has to be a number, string, or object; found: {w.Type.ToString().ToLowerInvariant()}");
        }
    }

    private static bool Flag(in RawElement field) => field.Type is BsonType.Boolean or BsonType.Int32 or BsonType.Int64 or BsonType.Double
        ? field.Truthy
        : throw new CommandException(ErrorCode.FailedToParse, $"{field.NameText} must be numeric or a boolean value");
}
