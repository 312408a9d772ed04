using System.Buffers.Binary;
using MongoDB.Bson;
using Platform.Gateway.Errors;
using Platform.Gateway.Topology;
using Platform.Wire.Bson;

namespace Platform.Gateway.Commands.Arguments;

/// <summary>
/// A write concern that no write can meet here: more members than there are, or a mode that the replica set does not define. As in the
/// server, the write takes place, and the reply says that the promise was not kept.
/// </summary>
internal sealed class WriteConcern
{
    private readonly BsonDocument _concern;
    private readonly ErrorCode _code;
    private readonly string _message;

    private WriteConcern(BsonDocument concern, ErrorCode code, string message)
    {
        _concern = concern;
        _code = code;
        _message = message;
    }

    /// <summary>
    /// The concern when it cannot be met; null when every write meets it. Throws <see cref="CommandException"/> when it is malformed.
    /// </summary>
    /// <param name="concern">The concern as the client gave it.</param>
    /// <param name="members">How many members hold data.</param>
    public static WriteConcern? Unmet(in RawElement concern, int members)
    {
        if (concern.Type != BsonType.Document)
        {
            throw new CommandException(
                ErrorCode.TypeMismatch, $"\"writeConcern\" had the wrong type. Expected object, found {concern.Type.ToString().ToLowerInvariant()}");
        }

        var (journal, sync) = (false, false);
        ErrorCode? unmet = null;
        foreach (var field in concern.Document)
        {
            if (field.Is("w"u8))
            {
                unmet = Members(field, members);
            }
            else if (field.Is("j"u8))
            {
                // Whatever the backend confirms is in its journal.
                journal = Flag(field);
            }
            else if (field.Is("fsync"u8))
            {
                sync = Flag(field);
            }
            else if (field.Is("wtimeout"u8))
            {
                if (field.Integer is not (>= 0 and <= int.MaxValue))
                {
                    throw new CommandException(ErrorCode.FailedToParse, "wtimeout must be a whole number of milliseconds that is not negative and below 2^31");
                }
            }
            else if (!field.Is("provenance"u8) && !field.Is("getLastError"u8) && !field.Is("wElectionId"u8) && !field.Is("wOpTime"u8))
            {
                throw new CommandException(ErrorCode.FailedToParse, $"unrecognized write concern field: {field.NameText}");
            }
        }

        if (journal && sync)
        {
            throw new CommandException(ErrorCode.FailedToParse, "fsync and j options cannot be used together");
        }

        if (unmet is not { } code)
        {
            return null;
        }

        var given = concern.Document.ToTree();
        return new WriteConcern(given, code, code == ErrorCode.UnknownReplWriteConcern
            ? $"No write concern mode named '{given["w"]}' found in replica set configuration"
            : "Not enough data-bearing nodes");
    }

    /// <summary>A reply with what could not be promised; an error stays what it is.</summary>
    public ReadOnlyMemory<byte> AddTo(ReadOnlyMemory<byte> reply)
    {
        var document = new RawDocument(reply);
        if (!document.TryGet("ok"u8, out var ok) || !ok.Truthy)
        {
            return reply;
        }

        var concern = new BsonDocument { { "w", _concern["w"] }, { "wtimeout", _concern.GetValue("wtimeout", 0) }, { "provenance", "clientSupplied" } };
        var error = new BsonDocument
        {
            { "code", (int)_code },
            { "codeName", _code.ToString() },
            { "errmsg", _message },
            { "errInfo", new BsonDocument("writeConcern", concern) },
        };
        var builder = new BsonBuilder(reply.Length + 256);
        foreach (var element in document)
        {
            builder.Add(element);
        }

        return builder.Add("writeConcernError"u8, BsonType.Document, error.ToBson()).Finish();
    }

    private static ErrorCode? Members(in RawElement w, int members)
    {
        switch (w.Type)
        {
            case BsonType.Int32 or BsonType.Int64 or BsonType.Double:
                var count = w.Type == BsonType.Double ? BinaryPrimitives.ReadDoubleLittleEndian(w.Value.Span) : w.Integer!.Value;
                return count is >= 0 and <= ReplicaSet.MostMembers
                    ? count > members ? ErrorCode.UnsatisfiableWriteConcern : null
                    : throw new CommandException(
                        ErrorCode.FailedToParse, $"w has to be a non-negative number and not greater than {ReplicaSet.MostMembers}; found: {count}");
            case BsonType.String:
                return w.StringBytes.SequenceEqual("majority"u8) ? null : ErrorCode.UnknownReplWriteConcern;
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
                    : ErrorCode.UnsatisfiableWriteConcern;
            case BsonType.Null or BsonType.Undefined:
                return null;
            default:
                throw new CommandException(ErrorCode.FailedToParse, $"w has to be a number, string, or object; found: {w.Type.ToString().ToLowerInvariant()}");
        }
    }

    private static bool Flag(in RawElement field) => field.Type is BsonType.Boolean or BsonType.Int32 or BsonType.Int64 or BsonType.Double
        ? field.Truthy
        : throw new CommandException(ErrorCode.FailedToParse, $"{field.NameText} must be numeric or a boolean value");
}
