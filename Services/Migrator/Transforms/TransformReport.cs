namespace Platform.Migrator.Transforms;

/// <summary>What one run of a transform did.</summary>
/// <param name="Name">The transform.</param>
/// <param name="Collection">The collection.</param>
/// <param name="Documents">How many documents it rewrote.</param>
/// <param name="Batches">In how many batches.</param>
/// <param name="Samples">How many documents were read before and after, and compared.</param>
/// <param name="Obstructed">In how many documents something stood in the way of the path, and stayed.</param>
/// <param name="Newer">How many documents in the old form others have written since the run came by, or began.</param>
/// <param name="DurationMs">How long it took, in milliseconds.</param>
public sealed record TransformReport(
    string Name, string Collection, long Documents, int Batches, int Samples, long Obstructed, long Newer, double DurationMs);
