using Platform.Migrator.History;

namespace Platform.Tests.Unit.Migrator.States;

/// <summary>What a transaction has written and not committed.</summary>
internal sealed class ModelTransaction
{
    public MigrationRecord? Record { get; set; }

    public List<Action> Effects { get; } = [];
}
