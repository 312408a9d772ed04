namespace Platform.Tests.Unit.Migrator.States;

/// <summary>What befalls a process at one of its await points.</summary>
internal enum ModelFault
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>The process is gone: whatever it would still do, it does not.</summary>
    Kill,

    /// <summary>The server does not answer for a while; what was sent last may have been done.</summary>
    Outage,

    /// <summary>The process is asked to stop.</summary>
    Cancel,
}
