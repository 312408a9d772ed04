using System.Collections.Frozen;
using System.Text;
using MongoDB.Bson;
using Platform.Gateway.Errors;
using Platform.Gateway.Requests;
using Platform.Wire.Bson;

namespace Platform.Gateway.Commands;

/// <summary>
/// The arguments of one command as far as the backend would accept them unseen. What is not known is refused where the gateway makes
/// the reply itself, since nobody else would.
/// </summary>
internal sealed class CommandOptions
{
    private static readonly FrozenDictionary<string, CommandOptions> s_all = All().ToFrozenDictionary(StringComparer.Ordinal);

    private readonly (byte[] Name, Rule Rule)[] _known;
    private readonly bool _othersAreRefused;

    private CommandOptions(bool othersAreRefused, params (string Name, Rule Rule)[] known)
    {
        _known = [.. known.Select(k => (Encoding.UTF8.GetBytes(k.Name), k.Rule))];
        _othersAreRefused = othersAreRefused;
    }

    private enum Rule
    {
        /// <summary>The command looks at it.</summary>
        Known,

        /// <summary>The server has it no more, the backend takes it and does nothing.</summary>
        Unknown,

        /// <summary>It must be a boolean or a number.</summary>
        Flag,

        /// <summary>It must be such a value, and false.</summary>
        Off,

        /// <summary>An index, or the direction of a scan, of which the backend knows one.</summary>
        Hint,
    }

    /// <summary>The options of the command of this name; null when the backend looks at all of them.</summary>
    public static CommandOptions? Of(string command) => s_all.GetValueOrDefault(command);

    /// <summary>Throws <see cref="CommandException"/> for an argument that would be ignored.</summary>
    public void Check(Request request)
    {
        var first = true;
        foreach (var field in request.Body)
        {
            if (first)
            {
                first = false;
                continue;
            }

            var isKnown = TryFind(field, out var rule);
            if (!isKnown || rule == Rule.Unknown)
            {
                if (isKnown || (_othersAreRefused && !IsGeneric(field)))
                {
                    throw new CommandException((ErrorCode)40415, $"BSON field '{request.Name}.{field.NameText}' is an unknown field.");
                }

                continue;
            }

            switch (rule)
            {
                case Rule.Flag or Rule.Off:
                    CheckFlag(request, field, mayBeTrue: rule == Rule.Flag);
                    break;
                case Rule.Hint when field.Type == BsonType.Document && field.Document.TryGet("$natural"u8, out var direction):
                    CheckDirection(direction);
                    break;
            }
        }
    }

    /// <summary>Throws <see cref="CommandException"/> when the direction of a scan, <c>{$natural: direction}</c>, is not the backend's.</summary>
    public static void CheckDirection(in RawElement direction)
    {
        switch (direction.Integer)
        {
            case 1:
                return;
            case -1:
                throw new CommandException(
                    ErrorCode.CommandNotSupported,
                    "The hint {$natural: -1} is not supported: the backend scans forwards only; the sort {$natural: -1} turns the result round.");
            default:
                throw new CommandException(ErrorCode.BadValue, "$natural hint must be 1 or -1");
        }
    }

    private static Dictionary<string, CommandOptions> All() => new(StringComparer.Ordinal)
    {
        ["find"] = new(
            false, ("hint", Rule.Hint), ("noCursorTimeout", Rule.Flag), ("allowDiskUse", Rule.Flag), ("allowPartialResults", Rule.Flag),
            ("oplogReplay", Rule.Flag),
            ("tailable", Rule.Flag), ("awaitData", Rule.Flag), ("ntoreturn", Rule.Unknown), ("snapshot", Rule.Unknown), ("options", Rule.Unknown)),
        ["aggregate"] = new(false, ("hint", Rule.Hint), ("bypassDocumentValidation", Rule.Flag)),
        ["count"] = new(false, ("hint", Rule.Hint)),
        ["distinct"] = new(false, ("hint", Rule.Hint)),
        ["getMore"] = new(true, ("collection", Rule.Known), ("batchSize", Rule.Known)),
        ["killCursors"] = new(true, ("cursors", Rule.Known)),
        ["drop"] = new(true),
        ["dropDatabase"] = new(true),
        ["validate"] = new(
            true, ("full", Rule.Flag), ("metadata", Rule.Flag), ("repair", Rule.Off), ("fixMultikey", Rule.Off), ("checkBSONConformance", Rule.Off),
            ("enforceFastCount", Rule.Off), ("enforceFastSize", Rule.Off), ("background", Rule.Off)),
        ["listCollections"] = new(false, ("nameOnly", Rule.Flag), ("authorizedCollections", Rule.Flag)),
        ["collStats"] = new(true, ("scale", Rule.Known)),
        ["dbStats"] = new(true, ("scale", Rule.Known), ("freeStorage", Rule.Known)),
        ["dataSize"] = new(true, ("keyPattern", Rule.Known), ("min", Rule.Known), ("max", Rule.Known), ("estimate", Rule.Flag)),
        ["explain"] = new(true, ("verbosity", Rule.Known)),
        ["getLog"] = new(true),
        ["profile"] = new(true, ("slowms", Rule.Known), ("sampleRate", Rule.Known), ("filter", Rule.Known)),
        ["commitTransaction"] = new(true, ("recoveryToken", Rule.Known)),
        ["abortTransaction"] = new(true, ("recoveryToken", Rule.Known)),
        ["startSession"] = new(true),
        ["refreshSessions"] = new(true),
        ["endSessions"] = new(true),
        ["killSessions"] = new(true),
        ["killAllSessions"] = new(true),
    };

    private static bool IsGeneric(in RawElement field) =>
        field.Name[0] == (byte)'$' || field.Is("lsid"u8) || field.Is("comment"u8) || field.Is("txnNumber"u8) || field.Is("autocommit"u8)
        || field.Is("startTransaction"u8) || field.Is("readConcern"u8) || field.Is("writeConcern"u8) || field.Is("maxTimeMS"u8)
        || field.Is("apiVersion"u8) || field.Is("apiStrict"u8) || field.Is("apiDeprecationErrors"u8);

    private static void CheckFlag(Request request, in RawElement field, bool mayBeTrue)
    {
        if (field.Type is not (BsonType.Boolean or BsonType.Int32 or BsonType.Int64 or BsonType.Double or BsonType.Decimal128 or BsonType.Null))
        {
            throw new CommandException(
                ErrorCode.TypeMismatch,
                $"BSON field '{request.Name}.{field.NameText}' is the wrong type '{field.Type.ToString().ToLowerInvariant()}', expected types '[bool, long, "
                    + $"int, decimal, double']");
        }

        if (!mayBeTrue && field.Truthy)
        {
            throw new CommandException(ErrorCode.CommandNotSupported, $"The option '{field.NameText}' of {request.Name} is not supported.");
        }
    }

    private bool TryFind(in RawElement field, out Rule rule)
    {
        foreach (var (name, found) in _known)
        {
            if (field.Is(name))
            {
                rule = found;
                return true;
            }
        }

        rule = default;
        return false;
    }
}
