using System.Text;

namespace Platform.Gateway.Postgres;

/// <summary>An error that PostgreSQL reported (https://www.postgresql.org/docs/current/protocol-error-fields.html).</summary>
internal sealed class PostgresException(string sqlState, string messageText, string severity = "ERROR") : Exception($"{sqlState}: {messageText}")
{
    /// <summary>The error's five-character code.</summary>
    public string SqlState => sqlState;

    /// <summary>The error's text.</summary>
    public string MessageText => messageText;

    /// <summary>Whether the server ends the connection after it.</summary>
    public bool EndsConnection => severity is "FATAL" or "PANIC";

    /// <summary>More about it; null when there is no more.</summary>
    public string? Detail { get; private init; }

    /// <summary>The constraint that a statement broke; null when it broke none.</summary>
    public string? ConstraintName { get; private init; }

    /// <summary>The error in the body of an ErrorResponse.</summary>
    public static PostgresException Read(ReadOnlySpan<byte> body)
    {
        string severity = "ERROR", state = "XX000", message = "PostgreSQL reported an error without a text.";
        string? invariant = null, detail = null, constraint = null;
        while (body.Length > 1 && body[0] != 0)
        {
            var end = body[1..].IndexOf((byte)0);
            if (end < 0)
            {
                break;
            }

            var text = Encoding.UTF8.GetString(body.Slice(1, end));
            switch ((char)body[0])
            {
                case 'S':
                    severity = text;
                    break;
                case 'V':
                    // The severity in English, whatever language the server speaks.
                    invariant = text;
                    break;
                case 'C':
                    state = text;
                    break;
                case 'M':
                    message = text;
                    break;
                case 'D':
                    detail = text;
                    break;
                case 'n':
                    constraint = text;
                    break;
            }

            body = body[(end + 2)..];
        }

        return new PostgresException(state, message, invariant ?? severity) { Detail = detail, ConstraintName = constraint };
    }
}
