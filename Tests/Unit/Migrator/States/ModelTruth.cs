using Platform.Migrator.History;

namespace Platform.Tests.Unit.Migrator.States;

/// <summary>What is known for sure about a migration, without its record.</summary>
internal sealed record ModelTruth
{
    /// <summary>Whether nothing of the change is in the database.</summary>
    public bool IsClean { get; init; } = true;

    /// <summary>Whether all of the change is in the database.</summary>
    public bool IsComplete { get; init; }

    /// <summary>Which way it was begun, outside of transactions, and neither finished nor resolved since; null when it was not.</summary>
    public MigrationDirection? Begun { get; init; }

    /// <summary>Which way a person let it go on, until it is begun again.</summary>
    public MigrationDirection? MayGoOn { get; init; }

    /// <summary>The steps that have returned on this way, and were to be recorded as done.</summary>
    public IReadOnlySet<string> Finished { get; init; } = new HashSet<string>();

    /// <summary>Which way <see cref="Finished"/> is about.</summary>
    public MigrationDirection Direction { get; init; }

    /// <summary>The checksum that it is applied with.</summary>
    public string? Checksum { get; init; }
}
