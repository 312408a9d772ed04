using System.Globalization;
using System.Text;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Platform.AppHost.Stack;

namespace Platform.Tests.Graph;

/// <summary>Waits that say, when they fail, what the resource and those that it waits for looked like.</summary>
internal static class ResourceWaits
{
    private const int ShownLines = 15;

    /// <summary>Waits until a resource is healthy.</summary>
    /// <inheritdoc cref="UntilAsync"/>
    public static Task<ResourceEvent> UntilHealthyAsync(this DistributedApplication app, string name, TimeSpan limit, CancellationToken cancellationToken)
        => app.UntilAsync(name, "become healthy", change => change.Snapshot.HealthStatus == HealthStatus.Healthy, limit, cancellationToken);

    /// <summary>Waits until a job has ended with exit code 0.</summary>
    /// <inheritdoc cref="UntilAsync"/>
    public static Task<ResourceEvent> UntilDoneAsync(this DistributedApplication app, string name, TimeSpan limit, CancellationToken cancellationToken)
        => app.UntilAsync(name, "end with exit code 0", change => change.Snapshot is { ExitCode: 0 }, limit, cancellationToken);

    /// <summary>Waits until the console of a resource has a line with a text.</summary>
    /// <param name="app">The application.</param>
    /// <param name="name">The resource's name.</param>
    /// <param name="text">The text.</param>
    /// <param name="limit">How long to wait.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="WaitFailedException">It was never said.</exception>
    public static async Task UntilSaidAsync(this DistributedApplication app, string name, string text, TimeSpan limit, CancellationToken cancellationToken)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(limit);
        try
        {
            if (app.ResourceNotifications.TryGetCurrentState(name, out var current))
            {
                var console = app.Services.GetRequiredService<ResourceLoggerService>().WatchAsync(current.ResourceId);
                await foreach (var lines in console.WithCancellation(timeout.Token))
                {
                    if (lines.Any(line => line.Content.Contains(text, StringComparison.Ordinal)))
                    {
                        return;
                    }
                }
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // Told below.
        }

        throw new WaitFailedException($"The resource '{name}' never said '{text}'.");
    }

    /// <summary>The first cause of why a resource waits, as the dashboard shows it without being asked for; null when none is shown.</summary>
    public static string? FirstCause(this CustomResourceSnapshot snapshot)
        => snapshot.Properties.FirstOrDefault(property => property is { Name: FailureReport.Property, IsHighlighted: true })?.Value as string;

    /// <summary>Waits until a resource is as expected; a resource that ends or fails to start otherwise ends the wait at once.</summary>
    /// <param name="app">The application.</param>
    /// <param name="name">The resource's name.</param>
    /// <param name="expected">What it is to do, for the message: "become healthy".</param>
    /// <param name="isReached">Whether a change is the one that is waited for.</param>
    /// <param name="limit">How long to wait.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="ArgumentException">The graph has no such resource.</exception>
    /// <exception cref="WaitFailedException">It did not come to that.</exception>
    public static async Task<ResourceEvent> UntilAsync(
        this DistributedApplication app, string name, string expected, Func<ResourceEvent, bool> isReached, TimeSpan limit, CancellationToken cancellationToken)
    {
        var model = app.Services.GetRequiredService<DistributedApplicationModel>();
        var resource = model.Resources.FirstOrDefault(resource => resource.Name == name)
            ?? throw new ArgumentException(
                $"The graph has no resource '{name}', only: "
                    + $"{string.Join(", ", model.Resources.Select(resource => resource.Name).Order(StringComparer.Ordinal))}.", nameof(name));

        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(limit);
        string reason;
        try
        {
            var end = await app.ResourceNotifications.WaitForResourceAsync(name, change => isReached(change) || HasEnded(change.Snapshot), timeout.Token);
            if (isReached(end))
            {
                return end;
            }

            reason = end.Snapshot.ExitCode is { } code ? $"but it ended with exit code {code}" : "but it failed to start";
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            reason = $"but did not within {limit.TotalSeconds.ToString(CultureInfo.InvariantCulture)} s";
        }

        throw new WaitFailedException($"The resource '{name}' was expected to {expected}, {reason}.\n{await DescribeAsync(app, resource)}");
    }

    private static bool HasEnded(CustomResourceSnapshot snapshot) => KnownResourceStates.TerminalStates.Contains(snapshot.State?.Text);

    private static async Task<string> DescribeAsync(DistributedApplication app, IResource resource)
    {
        var text = new StringBuilder();
        var logs = app.Services.GetRequiredService<ResourceLoggerService>();
        foreach (var (part, depth) in WithDependencies(app, resource, depth: 0, []))
        {
            var indent = new string(' ', 2 * (depth + 1));
            text.Append(indent).Append(part.Name).Append(": ");
            text.AppendLine(app.ResourceNotifications.TryGetCurrentState(part.Name, out var current) ? Describe(current.Snapshot) : "no state yet");
            foreach (var line in await logs.LastLinesAsync(part, ShownLines))
            {
                text.Append(indent).Append("  | ").AppendLine(line);
            }
        }

        return text.ToString().TrimEnd();
    }

    private static string Describe(CustomResourceSnapshot snapshot)
    {
        var parts = new List<string> { snapshot.State?.Text ?? "no state yet" };
        if (snapshot.ExitCode is { } code)
        {
            parts.Add($"exit code {code}");
        }

        parts.AddRange(snapshot.HealthReports.Select(
            report => $"{report.Name} {report.Status?.ToString() ?? "not checked yet"}{(report.Description is { } why ? $" ({why})" : "")}"));
        return string.Join(", ", parts);
    }

    // First the resource, then what it waits for, each once; of one that is not well also what it is made of, as the members of a replica set.
    private static IEnumerable<(IResource Resource, int Depth)> WithDependencies(
        DistributedApplication app, IResource resource, int depth, HashSet<IResource> seen)
    {
        if (!seen.Add(resource))
        {
            yield break;
        }

        yield return (resource, depth);
        var awaited = resource.Annotations.OfType<WaitAnnotation>().Select(wait => wait.Resource);
        foreach (var (dependency, below) in awaited.Concat(PartsOf(app, resource)).SelectMany(other => WithDependencies(app, other, depth + 1, seen)))
        {
            yield return (dependency, below);
        }
    }

    private static IEnumerable<IResource> PartsOf(DistributedApplication app, IResource resource) =>
        app.ResourceNotifications.TryGetCurrentState(resource.Name, out var state) && state.Snapshot.HealthStatus == HealthStatus.Healthy
            ? []
            : app.Services.GetRequiredService<DistributedApplicationModel>().Resources.Where(other =>
                other.Annotations.OfType<ResourceRelationshipAnnotation>().Any(relation => relation.Type == "Parent" && relation.Resource == resource));
}
