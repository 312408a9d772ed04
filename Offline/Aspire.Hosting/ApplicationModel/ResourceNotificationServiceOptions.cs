namespace Aspire.Hosting.ApplicationModel;

/// <summary>Settings of <see cref="ResourceNotificationService"/>.</summary>
public sealed class ResourceNotificationServiceOptions
{
    /// <summary>
    /// What waits do when the resource waited for fails, unless they say otherwise. Default: fail too; the builder changes it to going
    /// on waiting when there is a dashboard to restart the resource from.
    /// </summary>
    public WaitBehavior DefaultWaitBehavior { get; set; } = WaitBehavior.StopOnResourceUnavailable;
}
