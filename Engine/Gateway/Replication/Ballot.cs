namespace Platform.Gateway.Replication;

/// <summary>The answer of a member that was asked for its vote.</summary>
/// <param name="Granted">Whether the candidate has it.</param>
/// <param name="Reason">Why not.</param>
/// <param name="Term">The latest term that the member knows of.</param>
/// <param name="Position">How much it has.</param>
internal sealed record Ballot(bool Granted, string Reason, long Term, Position Position);
