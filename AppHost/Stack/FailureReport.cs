using System.Collections.Immutable;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Platform.AppHost.Stack;

internal static class FailureReportExtensions
{
    /// <summary>
    /// Names the <see cref="FirstCause"/> of a failure with the last lines that it printed: on the AppHost's console, and on
    /// the resource and all that use it, as a property and in their consoles, and as a notification of the dashboard. Whoever looks at
    /// the one that did not start learns why without looking for it.
    /// </summary>
    public static IDistributedApplicationBuilder ReportFailures(this IDistributedApplicationBuilder builder)
    {
        if (builder.ExecutionContext.IsRunMode)
        {
            builder.Services.AddHostedService<FailureReport>();
        }

        return builder;
    }
}

/// <summary>See <see cref="FailureReportExtensions.ReportFailures"/>.</summary>
internal sealed partial class FailureReport(
    DistributedApplicationModel model,
    ResourceNotificationService notifications,
    ResourceLoggerService consoles,
    IInteractionService dashboard,
    IHostApplicationLifetime lifetime,
    ILogger<FailureReport> logger) : IHostedLifecycleService
{
    /// <summary>The property that has the first cause.</summary>
    public const string Property = "first cause";

    private const int ShownLines = 10;

    private readonly FollowedResources _resources = new(model);
    private Task _watching = Task.CompletedTask;
    private Task _notifying = Task.CompletedTask;

    /// <summary>
    /// Begins before the orchestrator starts, which returns only when everything that waits for something has started: what waits for a server that
    /// failed does so until somebody mends it.
    /// </summary>
    public Task StartingAsync(CancellationToken cancellationToken)
    {
        // From when the graph stops everything ends because it is told to.
        _watching = WatchAsync(lifetime.ApplicationStopping);
        return Task.CompletedTask;
    }

    public Task StoppedAsync(CancellationToken cancellationToken) => _watching;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private async Task WatchAsync(CancellationToken stopping)
    {
        FirstCause? told = null;
        HashSet<IResource> concerned = [];
        var notice = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        try
        {
            await foreach (var change in notifications.WatchAsync(stopping))
            {
                _resources.Follow(change);
                var cause = _resources.Cause;
                if (cause == told)
                {
                    continue;
                }

                foreach (var resource in concerned)
                {
                    await notifications.PublishUpdateAsync(resource, snapshot => snapshot with { Properties = Without(snapshot.Properties) });
                }

                // It is taken away when it is true no more.
                await notice.CancelAsync();
                await _notifying;
                notice.Dispose();
                notice = CancellationTokenSource.CreateLinkedTokenSource(stopping);
                told = cause;
                concerned = cause is null ? [] : [cause.Resource, .. UsersOf(cause.Resource)];
                if (cause is not null)
                {
                    _notifying = NotifyAsync(cause, await TellAsync(cause, concerned, stopping), notice.Token);
                }
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // The graph stops.
        }
        finally
        {
            await notice.CancelAsync();
            await _notifying;
            notice.Dispose();
        }
    }

    // Ends when somebody closes it.
    private async Task NotifyAsync(FirstCause cause, string sentence, CancellationToken cancellationToken)
    {
        if (!dashboard.IsAvailable)
        {
            return;
        }

        try
        {
            await dashboard.PromptNotificationAsync(
                $"{cause.Resource.Name} failed",
                sentence,
                new NotificationInteractionOptions
                {
                    Intent = MessageIntent.Error, LinkText = "Its console", LinkUrl = $"/consolelogs/resource/{Uri.EscapeDataString(cause.Resource.Name)}",
                },
                cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Another cause, or the graph stops.
        }
    }

    private async Task<string> TellAsync(FirstCause cause, HashSet<IResource> concerned, CancellationToken cancellationToken)
    {
        var lines = await consoles.SettledLinesAsync(cause.Resource, ShownLines, cancellationToken);
        Failed(cause.Sentence, string.Concat(lines.Select(line => $"{Environment.NewLine}  {line}")));
        var sentence = ConsoleLine.WhatItSaid(cause.Sentence, lines);
        foreach (var resource in concerned)
        {
            await notifications.PublishUpdateAsync(
                resource,
                snapshot => snapshot with { Properties = Without(snapshot.Properties).Add(Shown(sentence)) });
            if (resource != cause.Resource)
            {
                BecauseOf(consoles.GetLogger(resource), sentence);
            }
        }

        return sentence;
    }

    private IEnumerable<IResource> UsersOf(IResource cause)
        => model.Resources.Where(
            resource => resource is not ParameterResource && Dependencies.AllOf(resource, [.. model.Resources]).Contains(cause));

    // The dashboard shows it without being asked for all properties.
    private static ResourcePropertySnapshot Shown(string sentence) => new(Property, sentence) { DisplayName = "First cause", IsHighlighted = true };

    private static ImmutableArray<ResourcePropertySnapshot> Without(ImmutableArray<ResourcePropertySnapshot> properties)
        => properties.RemoveAll(property => property.Name == Property);

    [LoggerMessage(LogLevel.Error, "{Sentence} The last lines of its console:{Lines}")]
    private partial void Failed(string sentence, string lines);

    [LoggerMessage(LogLevel.Error, "First cause: {Sentence}")]
    private static partial void BecauseOf(ILogger console, string sentence);
}
