using System.Collections.Frozen;

namespace Platform.Gateway.Errors;

/// <summary>
/// Turns PostgreSQL's SQLSTATEs into server error codes. The engine gives its own errors as <c>M</c> and four base-36
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

    private static readonly FrozenDictionary<string, int> s_codes = new Dictionary<string, int>(StringComparer.Ordinal)
    {
        ["M0000"] = 1, ["M0001"] = 2, ["M0002"] = 5, ["M0003"] = 9, ["M0004"] = 14, ["M0005"] = 15, ["M0006"] = 20,
        ["M0008"] = 26, ["M0009"] = 27, ["M000A"] = 28, ["M000B"] = 31, ["M000D"] = 40, ["M000E"] = 43, ["M000F"] = 48,
        ["M000G"] = 52, ["M000H"] = 53, ["M000I"] = 54, ["M000J"] = 56, ["M000K"] = 57, ["M000L"] = 61, ["M000M"] = 66,
        ["M000N"] = 67, ["M000O"] = 68, ["M000P"] = 72, ["M000Q"] = 73, ["M000R"] = 85, ["M000S"] = 86, ["M000U"] = 115,
        ["M000W"] = 146, ["M000Y"] = 165, ["M000Z"] = 166, ["M0010"] = 167, ["M0012"] = 197, ["M0013"] = 224, ["M0015"] = 241,
        ["M0016"] = 263, ["M0017"] = 276, ["M001B"] = 10334, ["M001C"] = 11000, ["M001D"] = 12587, ["M001H"] = 13113,
        ["M001I"] = 13297, ["M0035"] = 17194, ["M003A"] = 17419, ["M007U"] = 40324, ["M0087"] = 40414, ["M0088"] = 40415,
        ["M00CO"] = 121, ["M00DO"] = 16, ["M00DR"] = 8000, ["M00E7"] = 13, ["M00E8"] = 10107, ["M00EL"] = 143,

        ["23505"] = 11000, ["23P01"] = 11000, ["57014"] = 50, [LockNotAvailable] = 24, [Deadlock] = 112,
        [SerializationFailure] = 112, ["0A000"] = 115, ["42501"] = 13, ["42P01"] = 26, ["42P07"] = 48, ["42704"] = 11,
        ["42710"] = 51003, ["53100"] = 14031, ["53200"] = 146, ["53000"] = 146, ["25P02"] = 251, ["22P02"] = 2, ["22023"] = 2,
        ["54000"] = 201, ["28P01"] = 18,
        // The server is going down, coming up, standing by or full: the client finds it not to be primary for now.
        ["57P01"] = 11602, ["57P02"] = 11602, ["57P03"] = 11602, ["25006"] = 10107, ["53300"] = 11602, ["08000"] = 11602,
        ["08003"] = 11602, ["08006"] = 11602,
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>The error code of a SQLSTATE; <see cref="ErrorCode.InternalError"/> for the unknown.</summary>
    public static ErrorCode ToCode(string state) => (ErrorCode)s_codes.GetValueOrDefault(state, (int)ErrorCode.InternalError);

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

    /// <summary>
    /// The error code behind a <c>code</c> field of the engine's reply: an encoded SQLSTATE, or already an error code.
    /// </summary>
    public static ErrorCode FromReply(long number) =>
        number < 1 << 16 && number != 1088 ? (ErrorCode)number
        : Decode(number) is { } state ? ToCode(state) : ErrorCode.UnknownError;
}
