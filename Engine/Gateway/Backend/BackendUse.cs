namespace Platform.Gateway.Backend;

/// <summary>What a connection to the backend is taken for; see <see cref="BackendShares"/>.</summary>
internal enum BackendUse
{
    /// <summary>A command or transaction of a user.</summary>
    User,

    /// <summary>A command or transaction of a user who administers the server.</summary>
    Administrator,

    /// <summary>A step of a user's command that needs the gateway's own rights, maybe while the command holds a connection already.</summary>
    Errand,

    /// <summary>A login that is under way: whose it is, is not known yet.</summary>
    Login,

    /// <summary>The question whether a user would get a connection.</summary>
    Health,

    /// <summary>The gateway's own work, as clean-up.</summary>
    Gateway,
}
