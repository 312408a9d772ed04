namespace Aspire.Hosting.ApplicationModel;

/// <summary>
/// Records in a snapshot (<c>CustomResourceSnapshot.ResourceReadyEvent</c>, internal) that an event was published; waiters await the
/// task, so they see the exceptions of its handlers.
/// </summary>
/// <param name="EventTask">Completes when the event's handlers have run.</param>
internal sealed record EventSnapshot(Task EventTask);
