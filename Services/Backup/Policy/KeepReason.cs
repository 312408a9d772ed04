namespace Platform.Backup.Policy;

/// <summary>Why a backup is kept.</summary>
internal enum KeepReason
{
    /// <summary>It is the newest that is proven: never removed, whatever the policy says.</summary>
    Newest,

    /// <summary>The newest of one of the last days.</summary>
    Daily,

    /// <summary>The newest of one of the last months.</summary>
    Monthly,

    /// <summary>It was made within the window of point-in-time recovery, or is where the window's first moments are restored from.</summary>
    Window,

    /// <summary>It is not proven, but too young to be given up.</summary>
    Young,

    /// <summary>The clock says that it was made in the future, so that nothing is known of its age.</summary>
    Future,
}
