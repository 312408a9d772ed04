namespace Platform.Gateway.Access;

/// <summary>Who a connection is logged in as.</summary>
/// <param name="Name">The user's name, which is also the PostgreSQL role that commands run as.</param>
/// <param name="IsAdministrator">Whether the user may manage users and running operations.</param>
internal sealed record User(string Name, bool IsAdministrator);
