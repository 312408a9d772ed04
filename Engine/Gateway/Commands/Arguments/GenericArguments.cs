using System.Globalization;
using MongoDB.Bson;
using Platform.Gateway.Errors;
using Platform.Gateway.Requests;
using Platform.Gateway.Topology;

namespace Platform.Gateway.Commands.Arguments;

/// <summary>
/// The arguments that every command may have: what they promise is kept, or the command is refused before it does anything. The backend
/// itself accepts and ignores them all.
/// </summary>
/// <param name="WriteConcern">Who has to have a write before it is acknowledged.</param>
/// <param name="ReadConcern">What a read may see.</param>
/// <param name="MaxTime">After which time the command is to end; null when there is no such time.</param>
/// <param name="IsSecondaryOk">Whether a member that is not primary may answer.</param>
internal readonly record struct GenericArguments(WriteConcern WriteConcern, ReadConcern ReadConcern, TimeSpan? MaxTime, bool IsSecondaryOk)
{
    /// <summary>Checks them; throws <see cref="CommandException"/> when one is malformed or asks for what the command cannot give.</summary>
    /// <param name="request">The command.</param>
    /// <param name="definition">What is known of it.</param>
    /// <param name="isLoggedIn">Whether the client has logged in.</param>
    /// <param name="clock">The member's clock.</param>
    /// <param name="replicaSet">Who can keep promises.</param>
    public static GenericArguments Check(Request request, CommandDefinition definition, bool isLoggedIn, LogicalClock clock, ReplicaSet replicaSet)
    {
        var given = request.Generic;
        if (given == GenericFields.None)
        {
            return default;
        }

        // A client that has not logged in is not believed what time it is.
        if (given.HasFlag(GenericFields.ClusterTime) && isLoggedIn)
        {
            TakeClusterTime(request, clock);
        }

        if (given.HasFlag(GenericFields.Api))
        {
            CheckApi(request, definition);
        }

        if ((given & (GenericFields.Session | GenericFields.TransactionNumber | GenericFields.Transaction)) != 0 && isLoggedIn)
        {
            CheckSession(request, definition);
        }

        var secondaryOk = given.HasFlag(GenericFields.ReadPreference) && AllowsSecondaries(request);
        var read = given.HasFlag(GenericFields.ReadConcern) ? ReadConcern.Read(request, definition, clock) : default;
        return new GenericArguments(
            given.HasFlag(GenericFields.WriteConcern) ? Concern(request, definition, replicaSet) : default,
            read,
            given.HasFlag(GenericFields.MaxTime) ? Limit(request, definition) : null,
            secondaryOk);
    }

    private static void TakeClusterTime(Request request, LogicalClock clock)
    {
        request.TryGet("$clusterTime"u8, out var field);
        if (field.Type != BsonType.Document)
        {
            throw new CommandException(ErrorCode.TypeMismatch, "$clusterTime must be a document");
        }

        if (!field.Document.TryGet("clusterTime"u8, out var time))
        {
            throw new CommandException(ErrorCode.NoSuchKey, "Missing expected field \"clusterTime\" of $clusterTime");
        }

        clock.Advance(ReadConcern.Timestamp(time, "$clusterTime.clusterTime"));
    }

    private static void CheckApi(Request request, CommandDefinition definition)
    {
        if (!request.TryGet("apiVersion"u8, out var version))
        {
            throw new CommandException(
                ErrorCode.APIVersionError, "Provided apiStrict or apiDeprecationErrors without passing apiVersion");
        }

        if (version.Text is not "1")
        {
            throw version.Text is null
                ? new CommandException(ErrorCode.TypeMismatch, "apiVersion must be a string")
                : new CommandException(ErrorCode.APIVersionError, "API version must be \"1\"");
        }

        // Nothing of the first version is deprecated.
        if (request.TryGet("apiDeprecationErrors"u8, out var deprecation) && deprecation.Type != BsonType.Boolean)
        {
            throw new CommandException(ErrorCode.TypeMismatch, "apiDeprecationErrors must be a boolean");
        }

        if (!request.TryGet("apiStrict"u8, out var strict))
        {
            return;
        }

        if (strict.Type != BsonType.Boolean)
        {
            throw new CommandException(ErrorCode.TypeMismatch, "apiStrict must be a boolean");
        }

        if (strict.Truthy)
        {
            StrictApi.Check(request, definition);
        }
    }

    private static void CheckSession(Request request, CommandDefinition definition)
    {
        var given = request.Generic;
        if (given.HasFlag(GenericFields.Session))
        {
            if (request.Session is null)
            {
                throw new CommandException(ErrorCode.TypeMismatch, "lsid must be a document {id: UUID}");
            }

            request.TryGet("lsid"u8, out var lsid);
            foreach (var field in lsid.Document)
            {
                if (!field.Is("id"u8))
                {
                    throw new CommandException(
                        ErrorCode.InvalidOptions, $"The field 'lsid.{field.NameText}' is not supported: a session belongs to who is logged in.");
                }
            }
        }

        if (given.HasFlag(GenericFields.TransactionNumber))
        {
            if (request.Session is null)
            {
                throw new CommandException(ErrorCode.InvalidOptions, "Transaction number requires a session ID to also be specified");
            }

            if (request.TransactionNumber is not >= 0)
            {
                throw new CommandException(ErrorCode.InvalidOptions, "Transaction number must be a whole number that is not negative");
            }

            if (!request.InTransaction && !given.HasFlag(GenericFields.Transaction) && !definition.Traits.HasFlag(CommandTraits.RetryableWrite))
            {
                throw new CommandException(
                    (ErrorCode)50768,
                    $"txnNumber may only be provided for multi-document transactions and retryable write commands. autocommit:false was not provided, and "
                        + $"{definition.Name} is not a retryable write command.");
            }
        }

        if (!given.HasFlag(GenericFields.Transaction))
        {
            return;
        }

        if (request.TryGet("autocommit"u8, out var autocommit))
        {
            if (!autocommit.IsFalse)
            {
                throw autocommit.Type == BsonType.Boolean
                    ? new CommandException(ErrorCode.InvalidOptions, "Specifying autocommit=true is not allowed.")
                    : new CommandException(ErrorCode.TypeMismatch, "autocommit must be a boolean");
            }

            if (request.TransactionNumber is null)
            {
                throw new CommandException(ErrorCode.InvalidOptions, "'autocommit' field requires a transaction number to also be specified");
            }
        }

        if (request.TryGet("startTransaction"u8, out var start))
        {
            if (start.Type != BsonType.Boolean || !start.Truthy)
            {
                throw start.Type == BsonType.Boolean
                    ? new CommandException(ErrorCode.InvalidOptions, "Specifying startTransaction=false is not allowed.")
                    : new CommandException(ErrorCode.TypeMismatch, "startTransaction must be a boolean");
            }

            if (!request.InTransaction)
            {
                throw new CommandException(ErrorCode.InvalidOptions, "'startTransaction' field requires 'autocommit' field to also be specified");
            }

            if (definition.Name is "commitTransaction" or "abortTransaction" or "getMore" or "killCursors")
            {
                throw new CommandException(
                    ErrorCode.OperationNotSupportedInTransaction, $"Cannot run {definition.Name} as the first operation in a transaction.");
            }
        }
    }

    /// <summary>
    /// Whether the read preference lets a member answer that is not primary. Tags, staleness and hedging are the business of whoever chooses a member;
    /// it is routers and drivers, too, that allow no other mode than primary in transactions, while over a direct connection drivers add
    /// primaryPreferred to every command.
    /// </summary>
    private static bool AllowsSecondaries(Request request)
    {
        request.TryGet("$readPreference"u8, out var preference);
        if (preference.Type != BsonType.Document)
        {
            throw new CommandException(ErrorCode.TypeMismatch, "$readPreference must be a document");
        }

        if (!preference.Document.TryGet("mode"u8, out var mode))
        {
            throw new CommandException(ErrorCode.FailedToParse, "$readPreference needs a 'mode'");
        }

        if (mode.Text is not ("primary" or "primaryPreferred" or "secondary" or "secondaryPreferred" or "nearest"))
        {
            throw new CommandException(
                ErrorCode.FailedToParse,
                $"Could not parse $readPreference mode '{mode.Text}'. Only the modes 'primary', 'primaryPreferred', 'secondary', 'secondaryPreferred', and "
                    + $"'nearest' are supported.");
        }

        return mode.Text is not "primary";
    }

    private static WriteConcern Concern(Request request, CommandDefinition definition, ReplicaSet replicaSet)
    {
        if (!definition.Promises.HasFlag(CommandPromises.WriteConcern))
        {
            throw new CommandException(ErrorCode.InvalidOptions, "Command does not support writeConcern");
        }

        if (request.InTransaction && definition.Name is not ("commitTransaction" or "abortTransaction"))
        {
            throw new CommandException(ErrorCode.InvalidOptions, "writeConcern is not allowed within a multi-statement transaction");
        }

        request.TryGet("writeConcern"u8, out var concern);
        return WriteConcern.Read(concern, replicaSet.Members.Count);
    }

    private static TimeSpan? Limit(Request request, CommandDefinition definition)
    {
        request.TryGet("maxTimeMS"u8, out var field);
        if (field.Type is not (BsonType.Int32 or BsonType.Int64 or BsonType.Double or BsonType.Decimal128))
        {
            throw new CommandException(ErrorCode.BadValue, "maxTimeMS must be a number");
        }

        if (field.Integer is not { } milliseconds)
        {
            throw new CommandException(ErrorCode.BadValue, "maxTimeMS has non-integral value");
        }

        if (milliseconds is < 0 or > int.MaxValue)
        {
            throw new CommandException(
                ErrorCode.BadValue, string.Create(CultureInfo.InvariantCulture, $"{milliseconds} value for maxTimeMS is out of range [0, {int.MaxValue}]"));
        }

        // There it is how long to wait for more, which only cursors of change streams do.
        if (definition.Name == "getMore")
        {
            return null;
        }

        return milliseconds == 0 ? null : TimeSpan.FromMilliseconds(milliseconds);
    }
}
