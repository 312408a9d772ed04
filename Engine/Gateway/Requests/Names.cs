using System.Buffers;
using System.Text;
using Platform.Gateway.Errors;

namespace Platform.Gateway.Requests;

/// <summary>
/// The names that clients give to databases, collections and users, judged in one place before anything is done with them. The backend cuts
/// or misreads what this refuses, so that two names could become one.
/// </summary>
internal static class Names
{
    /// <summary>The longest name of a database, in bytes.</summary>
    public const int LongestDatabase = 63;

    /// <summary>The longest <c>database.collection</c>, in bytes.</summary>
    public const int LongestNamespace = 255;

    /// <summary>The longest name of a user, in bytes: the backend cuts longer ones.</summary>
    public const int LongestUser = 63;

    // U+FFFD stands for bytes that are no UTF-8: several such names would become one.
    private static readonly SearchValues<char> s_notInDatabase = SearchValues.Create("/\\. \"$\0\uFFFD");
    private static readonly SearchValues<char> s_notInCollection = SearchValues.Create("$\0\uFFFD");

    /// <summary>Returns the name of a database; throws <see cref="CommandException"/> when it is none.</summary>
    public static string CheckDatabase(string name) =>
        name.Length > 0 && !name.AsSpan().ContainsAny(s_notInDatabase) && Fits(name, LongestDatabase)
            ? name
            : throw new CommandException(ErrorCode.InvalidNamespace, $"Invalid database name: '{Printable.Of(name)}'");

    /// <summary>Returns the name of a collection; throws <see cref="CommandException"/> when it is none.</summary>
    public static string CheckCollection(string database, string name) =>
        name.Length > 0 && name[0] != '.' && !name.AsSpan().ContainsAny(s_notInCollection) && Fits(name, LongestNamespace - 1 - database.Length)
            ? name
            : throw new CommandException(ErrorCode.InvalidNamespace, $"Invalid namespace specified '{Printable.Of($"{database}.{name}")}'");

    /// <summary>Judges a text that names a collection with its database; throws <see cref="CommandException"/> when it is none.</summary>
    public static void CheckNamespace(string name)
    {
        var dot = name.IndexOf('.', StringComparison.Ordinal);
        CheckCollection(CheckDatabase(dot < 0 ? name : name[..dot]), dot < 0 ? "" : name[(dot + 1)..]);
    }

    /// <summary>Whether a user can have this name.</summary>
    public static bool IsUser(string name)
    {
        foreach (var character in name)
        {
            if (char.IsControl(character) || character == '\uFFFD')
            {
                return false;
            }
        }

        return name.Length > 0 && Fits(name, LongestUser);
    }

    /// <summary>Whether a name is that of a role that belongs to PostgreSQL or the backend, and must never log in.</summary>
    public static bool IsReserved(string user) =>
        user is "postgres" or "none" or "public"
        || user.StartsWith("pg_", StringComparison.OrdinalIgnoreCase)
        || user.StartsWith("documentdb_", StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether a text is not longer than so many bytes as UTF-8; none of its characters takes more than three.</summary>
    private static bool Fits(string name, int bytes) => name.Length * 3 <= bytes || (name.Length <= bytes && Encoding.UTF8.GetByteCount(name) <= bytes);
}
