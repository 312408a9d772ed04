namespace Platform.Backup.Engines;

/// <summary>Something that is wrong with the repository.</summary>
/// <param name="Subject">What: the path of an object, or the label of a backup.</param>
/// <param name="Fault">What is wrong with it.</param>
internal sealed record Finding(string Subject, string Fault)
{
    /// <summary>The fault of an object that does not belong there. What it lies beside is as good as it was.</summary>
    public const string Added = "was added by somebody else";
}
