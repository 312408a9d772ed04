using System.Collections;
using System.Globalization;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Dashboard.Contract;
using Google.Protobuf.WellKnownTypes;
using DotNetHealth = Microsoft.Extensions.Diagnostics.HealthChecks.HealthStatus;

namespace Aspire.Hosting.Dashboard;

/// <summary>
/// Turns states of resources into messages for the dashboard. The details panel is built from the properties only, so what the scalar
/// fields say is said there again.
/// </summary>
internal static class ResourceMessages
{
    // What the dashboard shows for each kind of resource, in this order.
    private static readonly Dictionary<string, (int Order, string DisplayName, bool Sensitive)> Highlighted = new(StringComparer.Ordinal)
    {
        [KnownProperties.Project.Path] = (0, "Project path", false),
        [KnownProperties.Project.LaunchProfile] = (1, "Launch profile", false),
        [KnownProperties.Executable.Path] = (0, "Executable path", false),
        [KnownProperties.Executable.WorkDir] = (1, "Working directory", false),
        [KnownProperties.Executable.Args] = (2, "Executable arguments", true),
        [KnownProperties.Executable.Pid] = (3, "Process ID", false),
        [KnownProperties.Container.Image] = (0, "Container image", false),
        [KnownProperties.Container.Id] = (1, "Container ID", false),
        [KnownProperties.Container.Command] = (2, "Container command", false),
        [KnownProperties.Container.Args] = (3, "Container arguments", true),
        [KnownProperties.Container.Ports] = (4, "Container ports", false),
        [KnownProperties.Container.Lifetime] = (5, "Container lifetime", false),
    };

    public static Contract.Resource From(ResourceEvent resourceEvent)
    {
        var snapshot = resourceEvent.Snapshot;
        var message = new Contract.Resource
        {
            Name = resourceEvent.ResourceId,
            Uid = resourceEvent.ResourceId,
            DisplayName = resourceEvent.Resource.Name,
            ResourceType = snapshot.ResourceType,
            // A missing time of creation ends the dashboard's watch without a word.
            CreatedAt = Timestamp(snapshot.CreationTimeStamp) ?? Timestamp(DateTime.UnixEpoch),
            StartedAt = Timestamp(snapshot.StartTimeStamp),
            StoppedAt = Timestamp(snapshot.StopTimeStamp),
            IsHidden = snapshot.IsHidden,
        };
        if (snapshot.State is { } state)
        {
            message.State = state.Text;
            if (state.Style is { } style)
            {
                message.StateStyle = style;
            }
        }

        if (snapshot.IconName is { } icon)
        {
            message.IconName = icon;
            message.IconVariant = From(snapshot.IconVariant ?? ApplicationModel.IconVariant.Regular);
        }

        message.Environment.AddRange(snapshot.EnvironmentVariables.Select(From));
        message.Urls.AddRange(snapshot.Urls.Select(From));
        message.Volumes.AddRange(snapshot.Volumes.Select(v => new Volume
        {
            Source = v.Source ?? "",
            Target = v.Target,
            MountType = v.MountType,
            IsReadOnly = v.IsReadOnly,
        }));
        message.HealthReports.AddRange(snapshot.HealthReports.Select(From));
        message.Relationships.AddRange(snapshot.Relationships.Select(r => new ResourceRelationship
        {
            ResourceName = r.ResourceName,
            Type = r.Type,
        }));
        message.Commands.AddRange(snapshot.Commands.Select(From));
        message.Properties.AddRange(Properties(resourceEvent));
        return message;
    }

    private static IEnumerable<ResourceProperty> Properties(ResourceEvent resourceEvent)
    {
        var snapshot = resourceEvent.Snapshot;
        var own = snapshot.Properties.Select(p => p.Name).ToHashSet(StringComparer.Ordinal);
        var parent = resourceEvent.Resource is IResourceWithParent { Parent: { } p } ? p.GetResolvedResourceNames()[0] : null;
        (string Name, object? Value)[] common =
        [
            (KnownProperties.Resource.Uid, resourceEvent.ResourceId),
            (KnownProperties.Resource.Name, resourceEvent.ResourceId),
            (KnownProperties.Resource.Type, snapshot.ResourceType),
            (KnownProperties.Resource.DisplayName, resourceEvent.Resource.Name),
            (KnownProperties.Resource.State, snapshot.State?.Text),
            (KnownProperties.Resource.HealthState, snapshot.HealthStatus?.ToString()),
            (KnownProperties.Resource.ExitCode, snapshot.ExitCode?.ToString(CultureInfo.InvariantCulture)),
            (KnownProperties.Resource.CreateTime, RoundTrip(snapshot.CreationTimeStamp)),
            (KnownProperties.Resource.StartTime, RoundTrip(snapshot.StartTimeStamp)),
            (KnownProperties.Resource.StopTime, RoundTrip(snapshot.StopTimeStamp)),
        ];
        foreach (var (name, value) in common.Where(c => !own.Contains(c.Name)))
        {
            yield return new ResourceProperty { Name = name, Value = From(value) };
        }

        if (parent is not null && !own.Contains(KnownProperties.Resource.ParentName))
        {
            yield return new ResourceProperty { Name = KnownProperties.Resource.ParentName, Value = From(parent) };
        }

        // A repeated name would be a warning in the dashboard's log; the last one counts.
        foreach (var property in snapshot.Properties.Reverse().DistinctBy(p => p.Name).Reverse())
        {
            var message = new ResourceProperty { Name = property.Name, Value = From(property.Value) };
            var sensitive = property.IsSensitive || property.Name == KnownProperties.Resource.ConnectionString;
            if (Highlighted.TryGetValue(property.Name, out var shown))
            {
                message.IsHighlighted = true;
                message.SortOrder = shown.Order;
                message.DisplayName = shown.DisplayName;
                sensitive |= shown.Sensitive;
            }

            message.IsSensitive = sensitive;
            yield return message;
        }
    }

    private static EnvironmentVariable From(EnvironmentVariableSnapshot variable)
    {
        var message = new EnvironmentVariable { Name = variable.Name, IsFromSpec = variable.IsFromSpec };
        if (variable.Value is { } value)
        {
            message.Value = value;
        }

        return message;
    }

    private static Url From(UrlSnapshot url)
    {
        var message = new Url
        {
            FullUrl = url.Url,
            IsInternal = url.IsInternal,
            IsInactive = url.IsInactive,
            // Without this message the dashboard's watch ends without a word.
            DisplayProperties = new UrlDisplayProperties
            {
                DisplayName = url.DisplayProperties.DisplayName,
                SortOrder = url.DisplayProperties.SortOrder,
            },
        };
        if (url.Name is { } name)
        {
            message.EndpointName = name;
        }

        return message;
    }

    private static HealthReport From(HealthReportSnapshot report)
    {
        var message = new HealthReport
        {
            Key = report.Name,
            Description = report.Description ?? "",
            Exception = report.ExceptionText ?? "",
            LastRunAt = Timestamp(report.LastRunAt),
        };
        if (report.Status is { } status)
        {
            message.Status = status switch
            {
                DotNetHealth.Healthy => HealthStatus.Healthy,
                DotNetHealth.Degraded => HealthStatus.Degraded,
                _ => HealthStatus.Unhealthy,
            };
        }

        return message;
    }

    private static ResourceCommand From(ResourceCommandSnapshot command)
    {
        var message = new ResourceCommand
        {
            Name = command.Name,
            DisplayName = command.DisplayName,
            IsHighlighted = command.IsHighlighted,
            State = command.State switch
            {
                ApplicationModel.ResourceCommandState.Enabled => Contract.ResourceCommandState.Enabled,
                ApplicationModel.ResourceCommandState.Disabled => Contract.ResourceCommandState.Disabled,
                _ => Contract.ResourceCommandState.Hidden,
            },
        };
        if (command.ConfirmationMessage is { } confirmation)
        {
            message.ConfirmationMessage = confirmation;
        }

        if (command.DisplayDescription is { } description)
        {
            message.DisplayDescription = description;
        }

        if (command.IconName is { } icon)
        {
            message.IconName = icon;
            message.IconVariant = From(command.IconVariant ?? ApplicationModel.IconVariant.Regular);
        }

        return message;
    }

    private static Contract.IconVariant From(ApplicationModel.IconVariant variant)
        => variant == ApplicationModel.IconVariant.Filled ? Contract.IconVariant.Filled : Contract.IconVariant.Regular;

    private static Value From(object? value) => value switch
    {
        null => Value.ForNull(),
        string text => Value.ForString(text),
        bool truth => Value.ForBool(truth),
        byte or sbyte or short or ushort or int or uint or long or ulong or float or double or decimal
            => Value.ForNumber(Convert.ToDouble(value, CultureInfo.InvariantCulture)),
        DateTime time => Value.ForString(RoundTrip(time)!),
        IEnumerable list => Value.ForList([.. list.Cast<object?>().Select(From)]),
        _ => Value.ForString(Convert.ToString(value, CultureInfo.InvariantCulture) ?? ""),
    };

    private static string? RoundTrip(DateTime? time)
        => time?.ToUniversalTime().ToString("O", CultureInfo.InvariantCulture);

    private static Timestamp? Timestamp(DateTime? time)
        => time is { } t ? Google.Protobuf.WellKnownTypes.Timestamp.FromDateTime(t.ToUniversalTime()) : null;
}
