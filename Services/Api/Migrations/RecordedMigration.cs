namespace Platform.Api.Migrations;

/// <summary>A migration as the database's history has it.</summary>
/// <param name="Id">Number and name.</param>
/// <param name="State">How far the latest attempt came: <c>pending</c>, <c>running</c>, <c>applied</c> or <c>failed</c>.</param>
/// <param name="IsBreaking">Whether programs that do not know it cannot work with the database any more.</param>
public sealed record RecordedMigration(string Id, string State, bool IsBreaking)
{
    /// <summary>Whether all of its change is in the database.</summary>
    public bool IsApplied => State == "applied";
}
