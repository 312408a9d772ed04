namespace Aspire.Hosting.ApplicationModel;

/// <summary>Another resource that a resource has to do with.</summary>
/// <param name="ResourceName">The name of the other resource in the graph.</param>
/// <param name="Type">What it is to the first, such as Reference, WaitFor or Parent.</param>
public sealed record RelationshipSnapshot(string ResourceName, string Type);
