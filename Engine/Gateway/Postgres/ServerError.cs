using System.Text;
using Npgsql;

namespace Platform.Gateway.Postgres;

/// <summary>Reads the server's error messages (https://www.postgresql.org/docs/current/protocol-error-fields.html).</summary>
internal static class ServerError
{
    /// <summary>The error in the body of an ErrorResponse.</summary>
    public static PostgresException Read(ReadOnlySpan<byte> body)
    {
        string severity = "ERROR", state = "XX000", message = "PostgreSQL reported an error without a text.";
        string? invariant = null, detail = null, hint = null, where = null, table = null, constraint = null, routine = null;
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
                case 'H':
                    hint = text;
                    break;
                case 'W':
                    where = text;
                    break;
                case 't':
                    table = text;
                    break;
                case 'n':
                    constraint = text;
                    break;
                case 'R':
                    routine = text;
                    break;
            }

            body = body[(end + 2)..];
        }

        return new PostgresException(
            message, severity, invariant ?? severity, state, detail, hint, where: where, tableName: table, constraintName: constraint, routine: routine);
    }
}
