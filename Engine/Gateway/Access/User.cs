namespace Platform.Gateway.Access;

/// <summary>Who a connection is logged in as, and what that user may do: all of it is replaced at once when it changes.</summary>
/// <param name="Name">The user's name, which is also the PostgreSQL role that commands run as.</param>
/// <param name="Database">The database that the user belongs to.</param>
/// <param name="Roles">The roles that the user was given.</param>
/// <param name="Rights">What they allow, with all that they inherit.</param>
/// <param name="Number">The backend's number of the user: a new user of the same name has another one.</param>
internal sealed record User(string Name, string Database, IReadOnlyList<RoleName> Roles, Rights Rights, long Number)
{
    /// <summary>Whether the user administers the server, and gets what is reserved for such.</summary>
    public bool IsAdministrator => Rights.Administers;
}
