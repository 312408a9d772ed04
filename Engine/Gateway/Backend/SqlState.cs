using System.Collections.Frozen;
using Platform.Gateway.Errors;

namespace Platform.Gateway.Backend;

/// <summary>
/// Turns PostgreSQL's SQLSTATEs into server error codes. The backend gives its own errors as <c>M</c> and four base-36
/// digits; inside reply documents it writes a SQLSTATE as an integer of five 6-bit groups, first character lowest.
/// </summary>
internal static class SqlState
{
    /// <summary>A lock was not obtained in time.</summary>
    public const string LockNotAvailable = "55P03";

    /// <summary>A concurrent transaction changed what this one read.</summary>
    public const string SerializationFailure = "40001";

    /// <summary>Two transactions waited for each other.</summary>
    public const string Deadlock = "40P01";

    /// <summary>A write on a standby.</summary>
    public const string ReadOnlyTransaction = "25006";

    /// <summary>A key that is there already, of the primary index.</summary>
    public const string UniqueViolation = "23505";

    /// <summary>A key that is there already, of another unique index.</summary>
    public const string ExclusionViolation = "23P01";

    /// <summary>A statement was cancelled, or took longer than it may.</summary>
    public const string QueryCanceled = "57014";

    /// <summary>A statement would change a row twice: a <c>$merge</c> with documents of equal <c>on</c> fields.</summary>
    public const string CardinalityViolation = "21000";

    private static readonly FrozenDictionary<string, int> s_codes = new Dictionary<string, int>(StringComparer.Ordinal)
    {
        [UniqueViolation] = 11000, [ExclusionViolation] = 11000, [QueryCanceled] = 50, [LockNotAvailable] = 24, [Deadlock] = 112,
        [SerializationFailure] = 112, ["0A000"] = 115, [CardinalityViolation] = 115, ["42501"] = 13, ["42P01"] = 26, ["42P07"] = 48, ["42704"] = 11,
        ["42710"] = 51003, ["53100"] = 14031, ["53200"] = 146, ["53000"] = 146, ["25P02"] = 251, ["22P02"] = 2, ["22023"] = 2,
        ["54000"] = 201, ["28P01"] = 18,
        // The server is going down, coming up, standing by or full: the client finds it not to be primary for now.
        ["57P01"] = 11602, ["57P02"] = 11602, ["57P03"] = 11602, [ReadOnlyTransaction] = 10107, ["53300"] = 11602, ["08000"] = 11602,
        ["08003"] = 11602, ["08006"] = 11602,
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>Whether a statement met another transaction, or the replay of one, and may be run again.</summary>
    public static bool IsConflict(string state) => state is SerializationFailure or Deadlock;

    /// <summary>The error code of a SQLSTATE; <see cref="ErrorCode.InternalError"/> for the unknown.</summary>
    public static ErrorCode ToCode(string state) => (ErrorCode)(BackendErrors.Code(state) ?? s_codes.GetValueOrDefault(state, (int)ErrorCode.InternalError));

    /// <summary>The SQLSTATE written as an integer, or null when the number is none.</summary>
    public static string? Decode(long number)
    {
        if (number is <= 0 or >= 1 << 30)
        {
            return null;
        }

        Span<char> state = stackalloc char[5];
        for (var i = 0; i < state.Length; i++)
        {
            var c = (char)((number & 63) + '0');
            if (!char.IsAsciiDigit(c) && !char.IsAsciiLetterUpper(c))
            {
                return null;
            }

            state[i] = c;
            number >>= 6;
        }

        return new string(state);
    }

    /// <summary>A SQLSTATE as the integer that the backend's replies hold.</summary>
    public static int Encode(string state)
    {
        var number = 0;
        for (var i = state.Length - 1; i >= 0; i--)
        {
            number = (number << 6) | ((state[i] - '0') & 63);
        }

        return number;
    }

    /// <summary>
    /// The error code behind a <c>code</c> field of the backend's reply: an encoded SQLSTATE, or already an error code.
    /// </summary>
    public static ErrorCode FromReply(long number) =>
        number < 1 << 16 && number != 1088 ? (ErrorCode)number
        : Decode(number) is { } state ? ToCode(state) : ErrorCode.UnknownError;
}
