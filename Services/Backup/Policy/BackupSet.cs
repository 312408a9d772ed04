namespace Platform.Backup.Policy;

/// <summary>A full backup in the repository.</summary>
/// <param name="Label">Its name, such as <c>20261129-020000F</c>.</param>
/// <param name="Start">When it was begun, by the clock of the server.</param>
/// <param name="Stop">When it was whole; the earliest moment that it can be restored to.</param>
/// <param name="Proof">What its verification found.</param>
/// <param name="DatabaseBytes">The size of what was copied.</param>
/// <param name="RepositoryBytes">How much of the repository it takes.</param>
/// <param name="FirstSegment">The first segment of the log that it needs.</param>
/// <param name="LastSegment">The last segment without which it is not consistent.</param>
/// <param name="Archive">The part of the archive with these segments, such as <c>18-1</c>; a database that was made anew has another one.</param>
/// <param name="IsCurrent">Whether it is of the database that is archived now, and not of one that was there before it.</param>
internal sealed record BackupSet(
    string Label,
    DateTimeOffset Start,
    DateTimeOffset Stop,
    BackupProof Proof,
    long DatabaseBytes,
    long RepositoryBytes,
    string FirstSegment,
    string LastSegment,
    string Archive,
    bool IsCurrent)
{
    /// <summary>Whether it was verified after it was made, and nothing was found wrong with it since.</summary>
    public bool IsProven => Proof == BackupProof.Proven;
}

/// <summary>What is known of a backup's soundness.</summary>
internal enum BackupProof
{
    /// <summary>It was made, but not verified: as by an agent that was killed in between.</summary>
    None,

    /// <summary>It was verified after it was made, and nothing was found wrong with it since.</summary>
    Proven,

    /// <summary>Something is wrong with it.</summary>
    Disproved,
}
