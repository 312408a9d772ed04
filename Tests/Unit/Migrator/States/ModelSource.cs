namespace Platform.Tests.Unit.Migrator.States;

/// <summary>The source of a migration; the edition counts the edits.</summary>
internal sealed record ModelSource(int Edition, bool CanBeRepeated, bool InTransaction, bool HasWayBack, IReadOnlyList<string> Steps)
{
    public override string ToString() => Checksum;

    public string Checksum => $"edition {Edition} of {CanBeRepeated}, {InTransaction}, {HasWayBack}: {string.Join(", ", Steps)}";
}
