using System.Buffers.Binary;
using System.Globalization;
using MongoDB.Bson;
using Platform.Gateway.Errors;
using Platform.Gateway.Requests;
using Platform.Gateway.Topology;
using Platform.Wire.Bson;

namespace Platform.Gateway.Commands.Arguments;

/// <summary>
/// What of the data a read may see (https://www.mongodb.com/docs/manual/reference/read-concern/). What a secondary has is on a majority already: on
/// its own disk and on the primary's. On the primary a majority or linearizable read is answered when a majority has all that it could see.
/// </summary>
/// <param name="Level">Its level; null where none is given, which is <c>local</c>.</param>
/// <param name="After">The time from which on everything before it has to be seen; 0 for none.</param>
internal readonly record struct ReadConcern(string? Level, long After)
{
    /// <summary>Whether what was read has to be on a majority.</summary>
    public bool IsMajority => Level is "majority" or "snapshot";

    /// <summary>Whether the member has to prove that it was the primary when it read.</summary>
    public bool IsLinearizable => Level is "linearizable";

    /// <summary>Reads the concern of a command. Throws <see cref="CommandException"/> for one that is malformed or that the command cannot give.</summary>
    public static ReadConcern Read(Request request, CommandDefinition definition, LogicalClock clock)
    {
        request.TryGet("readConcern"u8, out var concern);
        if (concern.Type != BsonType.Document)
        {
            throw new CommandException(ErrorCode.FailedToParse, "readConcern field should be an object");
        }

        if (concern.Document.Count() == 0)
        {
            return default;
        }

        if (request.InTransaction && !request.StartsTransaction)
        {
            throw new CommandException(ErrorCode.InvalidOptions, "Only the first command in a transaction may specify a readConcern");
        }

        string? level = null;
        long? after = null;
        var isAt = false;
        foreach (var field in concern.Document)
        {
            if (field.Is("level"u8))
            {
                level = field.Text ?? throw new CommandException(ErrorCode.TypeMismatch, "\"level\" had the wrong type. Expected string");
                if (level is not ("local" or "majority" or "linearizable" or "available" or "snapshot"))
                {
                    throw new CommandException(
                        ErrorCode.FailedToParse, "readConcern.level must be either 'local', 'majority', 'linearizable', 'available', or 'snapshot'");
                }
            }
            else if (field.Is("afterClusterTime"u8))
            {
                after = Timestamp(field, "afterClusterTime");
            }
            else if (field.Is("atClusterTime"u8))
            {
                isAt = true;
                Timestamp(field, "atClusterTime");
            }
            else if (!field.Is("provenance"u8))
            {
                throw new CommandException(ErrorCode.InvalidOptions, $"Unrecognized option in readConcern: {field.NameText}");
            }
        }

        CheckTimes(level, after, isAt, clock);
        CheckLevel(request, definition, level);
        return new ReadConcern(level, after ?? 0);
    }

    /// <summary>The value of a field that must be a timestamp; throws <see cref="CommandException"/> when it is not.</summary>
    public static long Timestamp(in RawElement element, string name) => element.Type == BsonType.Timestamp
        ? BinaryPrimitives.ReadInt64LittleEndian(element.Value.Span)
        : throw new CommandException(
            ErrorCode.TypeMismatch, $"\"{name}\" had the wrong type. Expected timestamp, found {element.Type.ToString().ToLowerInvariant()}");

    private static void CheckTimes(string? level, long? after, bool isAt, LogicalClock clock)
    {
        if (isAt)
        {
            throw new CommandException(ErrorCode.InvalidOptions, (level, after) switch
            {
                (not "snapshot", _) => "atClusterTime field can be set only if level is equal to snapshot",
                (_, not null) => "Can not specify both afterClusterTime and atClusterTime",
                _ => "atClusterTime is not supported: the backend keeps no earlier states of the data.",
            });
        }

        if (after is not { } time)
        {
            return;
        }

        if (level is not (null or "local" or "majority" or "snapshot"))
        {
            throw new CommandException(ErrorCode.InvalidOptions, "afterClusterTime field can be set only if level is equal to majority, local, or snapshot");
        }

        if (time == 0)
        {
            throw new CommandException(ErrorCode.InvalidOptions, "afterClusterTime cannot be a null timestamp");
        }

        var now = clock.Now();
        if ((ulong)time > (ulong)now)
        {
            throw new CommandException(
                ErrorCode.InvalidOptions,
                $"readConcern afterClusterTime value must not be greater than the current clusterTime. Requested clusterTime: {Text(time)}; current "
                    + $"clusterTime: {Text(now)}");
        }
    }

    private static void CheckLevel(Request request, CommandDefinition definition, string? level)
    {
        if (level is null or "local")
        {
            return;
        }

        if (request.InTransaction)
        {
            if (level is not ("majority" or "snapshot"))
            {
                throw new CommandException(
                    ErrorCode.InvalidOptions,
                    "The readConcern level must be either 'local' (default), 'majority' or 'snapshot' in order to run in a transaction");
            }

            return;
        }

        var why = !definition.Promises.HasFlag(CommandPromises.ReadConcern) ? "read concern not supported"
            : level == "snapshot" ? "the level snapshot is given in transactions only, since the backend keeps no snapshot between commands"
            : level == "linearizable" && definition.Name == "aggregate" && Pipelines.Writes(request.Body) ? "linearizable not supported with $out or $merge"
            : null;
        if (why is not null)
        {
            throw new CommandException(
                ErrorCode.InvalidOptions, $"Command {definition.Name} does not support {{ readConcern: {{ level: \"{level}\" }} }} :: caused by :: {why}");
        }
    }

    private static string Text(long time) =>
        string.Create(CultureInfo.InvariantCulture, $"{{ ts: Timestamp({(ulong)time >> 32}, {(uint)time}) }}");
}
