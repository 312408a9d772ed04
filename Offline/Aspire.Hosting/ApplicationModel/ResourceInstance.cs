namespace Aspire.Hosting.ApplicationModel;

/// <summary>One running copy of a resource.</summary>
/// <param name="Name">The id: <c>{resource}-{suffix}</c>.</param>
/// <param name="Suffix">Eight random lower-case letters, new for each run; also the telemetry's <c>service.instance.id</c>.</param>
/// <param name="Index">0 for the first copy.</param>
internal sealed record ResourceInstance(string Name, string Suffix, int Index);
