using System.Collections.Immutable;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>Everything that is known of a resource at one moment: what the dashboard shows and what waits are decided from.</summary>
public sealed record CustomResourceSnapshot
{
    /// <summary>What kind of resource it is, such as Project or Executable.</summary>
    public required string ResourceType { get; init; }

    /// <summary>Facts about the resource, keyed by names of which the dashboard knows some (<c>resource.source</c>).</summary>
    public required ImmutableArray<ResourcePropertySnapshot> Properties
    {
        get;
        init => field = value.IsDefault ? [] : value;
    }

    /// <summary>The state; null: not known yet.</summary>
    public ResourceStateSnapshot? State { get; init; }

    /// <summary>The exit code of a resource that has ended; null: not ended, or not known.</summary>
    public int? ExitCode { get; init; }

    /// <summary>When the resource was created, in UTC.</summary>
    public DateTime? CreationTimeStamp { get; init; }

    /// <summary>When the resource was started, in UTC.</summary>
    public DateTime? StartTimeStamp { get; init; }

    /// <summary>When the resource ended, in UTC.</summary>
    public DateTime? StopTimeStamp { get; init; }

    /// <summary>Whether user interfaces leave the resource out unless asked.</summary>
    public bool IsHidden { get; init; }

    /// <summary>The name of a Fluent UI icon; null: one that fits the type.</summary>
    public string? IconName { get; init; }

    /// <summary>The variant of the icon.</summary>
    public IconVariant? IconVariant { get; init; }

    /// <summary>The environment that the resource was started with.</summary>
    public ImmutableArray<EnvironmentVariableSnapshot> EnvironmentVariables { get; init => field = value.IsDefault ? [] : value; } = [];

    /// <summary>Addresses of the resource.</summary>
    public ImmutableArray<UrlSnapshot> Urls { get; init => field = value.IsDefault ? [] : value; } = [];

    /// <summary>Directories mounted into the resource.</summary>
    public ImmutableArray<VolumeSnapshot> Volumes { get; init => field = value.IsDefault ? [] : value; } = [];

    /// <summary>Other resources that this one has to do with.</summary>
    public ImmutableArray<RelationshipSnapshot> Relationships { get; init => field = value.IsDefault ? [] : value; } = [];

    /// <summary>What a user can do with the resource.</summary>
    public ImmutableArray<ResourceCommandSnapshot> Commands { get; init => field = value.IsDefault ? [] : value; } = [];

    /// <summary>The last results of the health checks.</summary>
    public ImmutableArray<HealthReportSnapshot> HealthReports { get; internal init => field = value.IsDefault ? [] : value; } = [];

    /// <summary>
    /// The health of a running resource: healthy without checks, unhealthy while one has not run yet, else the worst result.
    /// Null: the resource is not running.
    /// </summary>
    public HealthStatus? HealthStatus
        => State?.Text != KnownResourceStates.Running ? null
            : HealthReports.IsEmpty ? Microsoft.Extensions.Diagnostics.HealthChecks.HealthStatus.Healthy
            : HealthReports.Min(r => r.Status ?? Microsoft.Extensions.Diagnostics.HealthChecks.HealthStatus.Unhealthy);

    /// <summary>Set once the handlers of <see cref="ApplicationModel.ResourceReadyEvent"/> have been started.</summary>
    internal EventSnapshot? ResourceReadyEvent { get; init; }
}
