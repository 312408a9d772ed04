namespace Platform.SecurityTool.Secrets;

/// <summary>A secret as it is stored, without its value.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Purpose">What it is for.</param>
/// <param name="Readers">Who reads it.</param>
/// <param name="File">The file with it, which may have others as well.</param>
/// <param name="Mode">The file's mode; null where there are none.</param>
/// <param name="IsOpen">Whether that lets others than the owner in.</param>
/// <param name="Changed">When the file was changed last.</param>
/// <param name="CanBeRotated">Whether <c>secrets rotate</c> replaces it.</param>
/// <param name="CanBeRotatedLive">Whether it does so while the stack runs.</param>
internal sealed record StoredSecret(
    string Name, string Purpose, IReadOnlyList<string> Readers, string File, string? Mode, bool IsOpen, DateTime Changed, bool CanBeRotated,
    bool CanBeRotatedLive);

/// <summary>What <c>secrets list</c> prints.</summary>
/// <param name="Secrets">The secrets.</param>
internal sealed record SecretReport(IReadOnlyList<StoredSecret> Secrets)
{
    /// <summary>Whether no file is open to others.</summary>
    public bool IsGood => !Secrets.Any(secret => secret.IsOpen);
}
