namespace Platform.Data.Access;

/// <summary>What a <see cref="Grant"/> is for.</summary>
public enum GrantTarget
{
    /// <summary>Collections of the platform's database, by their names.</summary>
    Collections,

    /// <summary>The platform's database as a whole, and so every collection in it: only for actions that show or change no document.</summary>
    Database,

    /// <summary>The cluster.</summary>
    Cluster,

    /// <summary>The users and roles of <c>admin</c>.</summary>
    Users,
}
