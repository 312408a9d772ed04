namespace Platform.SecurityTool.Secrets;

/// <summary>The servers that know one user's password.</summary>
internal interface IRotatedServer
{
    /// <summary>
    /// For how long the old password has to be valid after programs read the new one, as who read the old one just before does not try another; zero
    /// where he does.
    /// </summary>
    TimeSpan Overlap { get; }

    /// <summary>Has every server take a password. Beside the one before where a user can have two; else in place of it.</summary>
    /// <exception cref="RotationException">One of them did not: a sentence.</exception>
    Task AcceptAsync(string password, CancellationToken cancellationToken);

    /// <summary>Has every server refuse all other passwords.</summary>
    /// <exception cref="RotationException">One of them did not: a sentence.</exception>
    Task KeepOnlyAsync(string password, CancellationToken cancellationToken);
}
