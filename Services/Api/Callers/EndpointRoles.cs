namespace Platform.Api.Callers;

/// <summary>Which roles an endpoint lets in: one of them is enough. Attached to endpoints as metadata.</summary>
/// <param name="Names">The roles.</param>
internal sealed record EndpointRoles(IReadOnlyList<string> Names);
