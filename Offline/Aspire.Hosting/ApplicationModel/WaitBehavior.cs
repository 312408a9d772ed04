namespace Aspire.Hosting.ApplicationModel;

/// <summary>What a wait does when the resource waited for fails.</summary>
public enum WaitBehavior
{
    /// <summary>Go on waiting: it may be restarted.</summary>
    WaitOnResourceUnavailable = 0,

    /// <summary>Fail too.</summary>
    StopOnResourceUnavailable = 1,
}
