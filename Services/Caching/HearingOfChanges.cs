namespace Platform.Caching;

/// <summary>Whether every change of the database, whoever made it, is told to this process's caches. Thread-safe.</summary>
internal sealed class HearingOfChanges
{
    private volatile bool _isSo;

    /// <summary>Whether it is so.</summary>
    public bool IsSo
    {
        get => _isSo;
        set => _isSo = value;
    }
}
