using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Dashboard.Contract;
using Grpc.Core;
using Microsoft.Extensions.Hosting;

namespace Aspire.Hosting.Dashboard;

/// <summary>
/// Answers the dashboard. A watch is never ended while the app host runs, because the dashboard opens an ended one again at once; when
/// the app host stops, all calls end and new ones are refused.
/// </summary>
internal sealed class ResourceServiceCalls(
    ResourceNotificationService notifications,
    ResourceLoggerService logs,
    ResourceCommandService commands,
    DashboardOptions options,
    IHostApplicationLifetime lifetime) : DashboardService.DashboardServiceBase
{
    // A message may have 16 MiB; a batch of lines stays far below.
    private const int LogBatchCharacters = 512 * 1024;

    // The oldest dashboard that knows everything sent here.
    private const string MinDashboardVersion = "13.5.0";

    public override Task<ApplicationInformationResponse> GetApplicationInformation(
        ApplicationInformationRequest request,
        ServerCallContext context)
        => Task.FromResult(new ApplicationInformationResponse
        {
            ApplicationName = options.ApplicationName,
            MinDashboardVersion = MinDashboardVersion,
        });

    public override Task WatchResources(
        WatchResourcesRequest request,
        IServerStreamWriter<WatchResourcesUpdate> responseStream,
        ServerCallContext context)
        => UntilStoppedAsync(context, async cancellationToken =>
        {
            var (now, changes, writer) = notifications.Subscribe();
            try
            {
                var initial = new InitialResourceData();
                initial.Resources.AddRange(now.Select(ResourceMessages.From));
                await responseStream.WriteAsync(new WatchResourcesUpdate { InitialData = initial }, cancellationToken);
                while (await changes.WaitToReadAsync(cancellationToken))
                {
                    // An upsert replaces the whole resource: of several waiting changes only the last counts.
                    var last = new Dictionary<string, ResourceEvent>(StringComparer.OrdinalIgnoreCase);
                    while (changes.TryRead(out var change))
                    {
                        last[change.ResourceId] = change;
                    }

                    var batch = new WatchResourcesChanges();
                    batch.Value.AddRange(last.Values.Select(e => new WatchResourcesChange { Upsert = ResourceMessages.From(e) }));
                    await responseStream.WriteAsync(new WatchResourcesUpdate { Changes = batch }, cancellationToken);
                }
            }
            finally
            {
                notifications.Unsubscribe(writer);
            }
        });

    public override Task WatchResourceConsoleLogs(
        WatchResourceConsoleLogsRequest request,
        IServerStreamWriter<WatchResourceConsoleLogsUpdate> responseStream,
        ServerCallContext context)
        => UntilStoppedAsync(context, async cancellationToken =>
        {
            if (request.ResourceName.Length == 0)
            {
                throw new RpcException(new Status(StatusCode.InvalidArgument, "resource_name is empty."));
            }

            var lines = request.SuppressFollow ? logs.GetAllAsync(request.ResourceName) : logs.WatchAsync(request.ResourceName);
            await foreach (var batch in lines.WithCancellation(cancellationToken))
            {
                foreach (var message in Batches(batch))
                {
                    await responseStream.WriteAsync(message, cancellationToken);
                }
            }
        });

    public override async Task<ResourceCommandResponse> ExecuteResourceCommand(
        ResourceCommandRequest request,
        ServerCallContext context)
    {
        if (request.ResourceName.Length == 0 || request.CommandName.Length == 0)
        {
            return new ResourceCommandResponse
            {
                Kind = ResourceCommandResponseKind.InvalidArguments,
                Message = "A command needs the name of a resource and of a command.",
            };
        }

        var result = await commands.ExecuteCommandAsync(request.ResourceName, request.CommandName, context.CancellationToken);
        var response = new ResourceCommandResponse
        {
            Kind = result.Success ? ResourceCommandResponseKind.Succeeded
                : result.Canceled ? ResourceCommandResponseKind.Cancelled
                : ResourceCommandResponseKind.Failed,
        };
        if ((result.Message ?? result.ErrorMessage) is { } message)
        {
            response.Message = message;
        }

        return response;
    }

    /// <summary>Held open without ever asking anything: the dashboard takes a refusal for a lost connection.</summary>
    public override Task WatchInteractions(
        IAsyncStreamReader<WatchInteractionsRequestUpdate> requestStream,
        IServerStreamWriter<WatchInteractionsResponseUpdate> responseStream,
        ServerCallContext context)
        => UntilStoppedAsync(context, async cancellationToken =>
        {
            // The dashboard uses the stream only after it has the headers.
            await context.WriteResponseHeadersAsync([]);
            await Task.Delay(Timeout.Infinite, cancellationToken);
        });

    private static IEnumerable<WatchResourceConsoleLogsUpdate> Batches(IReadOnlyList<LogLine> lines)
    {
        var message = new WatchResourceConsoleLogsUpdate();
        var characters = 0;
        foreach (var line in lines)
        {
            if (characters > 0 && characters + line.Content.Length > LogBatchCharacters)
            {
                yield return message;
                message = new WatchResourceConsoleLogsUpdate();
                characters = 0;
            }

            characters += line.Content.Length;
            message.LogLines.Add(new ConsoleLogLine
            {
                Text = line.Content,
                IsStdErr = line.IsErrorMessage,
                LineNumber = line.LineNumber,
            });
        }

        if (message.LogLines.Count > 0)
        {
            yield return message;
        }
    }

    private async Task UntilStoppedAsync(ServerCallContext context, Func<CancellationToken, Task> call)
    {
        if (lifetime.ApplicationStopping.IsCancellationRequested)
        {
            throw new RpcException(new Status(StatusCode.Unavailable, "The app host stops."));
        }

        using var linked = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, lifetime.ApplicationStopping);
        try
        {
            await call(linked.Token);
        }
        catch (Exception ex) when (linked.IsCancellationRequested && ex is OperationCanceledException or IOException or InvalidOperationException)
        {
            // The dashboard left the page, or the app host stops: the normal end of a watch. A write to a stream whose reader has
            // gone fails with one of these three.
        }
    }
}
