using System.Globalization;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Aspire.Hosting.ApplicationModel;

public partial class ResourceNotificationService
{
    private const int LogLinesInMessages = 20;

    /// <summary>What a resource is doing, in lines for people: state, health reports, last console lines, and the same for everything
    /// that it waits for.</summary>
    internal string Describe(string resourceName, IReadOnlyList<string> ids)
    {
        var text = new StringBuilder();
        Describe(text, resourceName, ids, indent: "  ", described: new HashSet<string>(StringComparer.OrdinalIgnoreCase));
        return text.ToString().TrimEnd();
    }

    private void Describe(StringBuilder text, string resourceName, IReadOnlyList<string> ids, string indent, HashSet<string> described)
    {
        if (!described.Add(resourceName))
        {
            return;
        }

        foreach (var id in ids)
        {
            if (!TryGetCurrentState(id, out var current))
            {
                text.Append(indent).Append(id).AppendLine(": no state has been published yet");
                continue;
            }

            DescribeInstance(text, current, indent);
        }

        if (_services.GetService<DistributedApplicationModel>() is not { } model
            || !model.Resources.TryGetByName(resourceName, out var resource)
            || !IsHeldBack(ids))
        {
            return;
        }

        foreach (var dependency in resource.Annotations.OfType<WaitAnnotation>().Select(w => w.Resource).Distinct())
        {
            if (dependency is not IResourceWithoutLifetime)
            {
                text.Append(indent).Append("which waits for '").Append(dependency.Name).AppendLine("':");
                Describe(text, dependency.Name, dependency.GetResolvedResourceNames(), indent + "  ", described);
            }
        }
    }

    private bool IsHeldBack(IReadOnlyList<string> ids)
        => ids.Any(id => TryGetCurrentState(id, out var current)
            && (current.Snapshot.State is null || current.Snapshot.State.Text == KnownResourceStates.Waiting));

    private void DescribeInstance(StringBuilder text, ResourceEvent current, string indent)
    {
        var snapshot = current.Snapshot;
        text.Append(indent).Append(current.ResourceId).Append(": state ").Append(snapshot.State?.Text ?? "unknown");
        if (snapshot.HealthStatus is { } health)
        {
            text.Append(" (").Append(health).Append(')');
        }

        if (snapshot.ExitCode is { } exitCode)
        {
            text.Append(CultureInfo.InvariantCulture, $", exit code {exitCode}");
        }

        text.AppendLine();
        foreach (var report in snapshot.HealthReports)
        {
            text.Append(indent).Append("  health check ").Append(report.Name).Append(": ");
            text.Append(report.Status is { } status ? status.ToString() : "has not run yet");
            if (report.Status != HealthStatus.Healthy && FirstLine(report.Description ?? report.ExceptionText) is { Length: > 0 } why)
            {
                text.Append(", ").Append(why);
            }

            text.AppendLine();
        }

        var lines = _logs.Tail(current.ResourceId, LogLinesInMessages);
        text.Append(indent).AppendLine(lines.Count == 0 ? "  no console lines" : "  last console lines:");
        foreach (var line in lines)
        {
            text.Append(indent).Append("    ").AppendLine(line);
        }
    }

    private static string? FirstLine(string? text) => text?.Split('\n', 2)[0].Trim();

    private static string Seconds(TimeSpan time) => time.TotalSeconds.ToString("0.0", CultureInfo.InvariantCulture) + " s";

    private string[] InstancesOf(string resourceName)
    {
        var ids = Now().Where(e => SameName(e.Resource.Name, resourceName)).Select(e => e.ResourceId).ToArray();
        return ids.Length == 0 ? [resourceName] : ids;
    }
}
