namespace Platform.Gateway.Commands;

/// <summary>Whether a member that is not primary runs a command.</summary>
internal enum SecondaryUse
{
    /// <summary>Always: it is about the member or the connection.</summary>
    Always,

    /// <summary>When the client's read preference allows it.</summary>
    WithLeave,

    /// <summary>Never: it writes.</summary>
    Never,
}
