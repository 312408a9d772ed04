using System.Collections.Immutable;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>Makes changed copies of snapshots.</summary>
public static class CustomResourceSnapshotExtensions
{
    /// <summary>Replaces the health reports, and with them the health of the resource.</summary>
    public static CustomResourceSnapshot WithHealthReports(
        this CustomResourceSnapshot snapshot,
        ImmutableArray<HealthReportSnapshot> healthReports)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        return snapshot with { HealthReports = healthReports };
    }

    /// <summary>Sets one property, or removes it when <paramref name="value"/> is null.</summary>
    internal static ImmutableArray<ResourcePropertySnapshot> WithProperty(
        this ImmutableArray<ResourcePropertySnapshot> properties,
        string name,
        object? value,
        bool sensitive = false)
    {
        var others = properties.RemoveAll(p => p.Name == name);
        return value is null ? others : others.Add(new ResourcePropertySnapshot(name, value) { IsSensitive = sensitive });
    }

    /// <summary>The value of a property; null: there is none.</summary>
    internal static object? Property(this CustomResourceSnapshot snapshot, string name)
        => snapshot.Properties.LastOrDefault(p => p.Name == name)?.Value;
}
