using System.Collections;
using System.Collections.Immutable;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>
/// Compares snapshots by what they say. The records' own equality compares lists by reference, so an update that changes nothing
/// would look like one.
/// </summary>
internal static class SnapshotEquality
{
    public static bool SameContent(CustomResourceSnapshot a, CustomResourceSnapshot b)
        => ReferenceEquals(a, b)
            || (WithoutLists(a) == WithoutLists(b)
                && a.Properties.SequenceEqual(b.Properties, PropertyComparer.Instance)
                && a.EnvironmentVariables.SequenceEqual(b.EnvironmentVariables)
                && a.Urls.SequenceEqual(b.Urls)
                && a.Volumes.SequenceEqual(b.Volumes)
                && a.Relationships.SequenceEqual(b.Relationships)
                && a.Commands.SequenceEqual(b.Commands)
                && a.HealthReports.SequenceEqual(b.HealthReports));

    private static CustomResourceSnapshot WithoutLists(CustomResourceSnapshot snapshot)
        => snapshot with
        {
            Properties = ImmutableArray<ResourcePropertySnapshot>.Empty,
            EnvironmentVariables = [],
            Urls = [],
            Volumes = [],
            Relationships = [],
            Commands = [],
            HealthReports = [],
        };

    private sealed class PropertyComparer : IEqualityComparer<ResourcePropertySnapshot>
    {
        public static readonly PropertyComparer Instance = new();

        public bool Equals(ResourcePropertySnapshot? x, ResourcePropertySnapshot? y)
            => x?.Name == y?.Name && x?.IsSensitive == y?.IsSensitive && SameValue(x?.Value, y?.Value);

        public int GetHashCode(ResourcePropertySnapshot obj) => obj.Name.GetHashCode(StringComparison.Ordinal);

        private static bool SameValue(object? x, object? y)
            => Equals(x, y)
                || (x is IEnumerable first and not string
                    && y is IEnumerable second and not string
                    && first.Cast<object?>().SequenceEqual(second.Cast<object?>()));
    }
}
