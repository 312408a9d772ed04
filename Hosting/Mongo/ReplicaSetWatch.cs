using System.Collections.Immutable;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Hosting.Servers;

namespace Platform.Hosting.Mongo;

/// <summary>
/// Keeps what the dashboard shows of a replica set true while the graph runs: the state of the set and of its databases
/// follows that of its servers, and the role, state and lag of each member are properties of the set, and of the resource
/// whose process the member is. Whether the set can be used is the health check's say.
/// </summary>
internal sealed partial class ReplicaSetWatch(
    MongoReplicaSetResource mongo, InitializeResourceEvent initialize, ILogger<ReplicaSetWatch> logger)
{
    private const string PrimaryProperty = "primary";
    private const string RoleProperty = "role";
    private const string StateProperty = "state of the member";
    private const string LagProperty = "lag";

    // A look costs a member well below a millisecond.
    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(4);
    private static readonly BsonDocument s_getStatus = new("replSetGetStatus", 1);

    // A server that is no member of a set, or does not let this user ask: Unauthorized, CommandNotFound,
    // NoReplicationEnabled, and Atlas's refusal.
    private static readonly HashSet<int> s_refusals = [13, 59, 76, 8000];

    /// <summary>Watches until the graph stops.</summary>
    public static async Task RunAsync(
        MongoReplicaSetResource mongo, InitializeResourceEvent initialize, CancellationToken cancellationToken)
    {
        var watch = ActivatorUtilities.CreateInstance<ReplicaSetWatch>(initialize.Services, mongo, initialize);
        var lifetime = initialize.Services.GetRequiredService<IHostApplicationLifetime>();
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(
            lifetime.ApplicationStopping, cancellationToken);
        try
        {
            var (servers, members) = (watch.FollowServersAsync(cancellationToken), watch.FollowMembersAsync(stopping.Token));
            await await Task.WhenAny(servers, members); // an error of one is told while the other goes on
            await Task.WhenAll(servers, members);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested || stopping.IsCancellationRequested)
        {
            // The graph stops. Who waits on the token itself may hear of it before what is linked to it.
        }
    }

    private async Task FollowServersAsync(CancellationToken cancellationToken)
    {
        var states = mongo.Servers.ToDictionary(server => server, string? (_) => null);
        var hasRun = false;
        string? told = null;
        await TellAsync();
        if (states.Count == 0)
        {
            return;
        }

        await foreach (var change in initialize.Notifications.WatchAsync(cancellationToken))
        {
            if (states.ContainsKey(change.Resource))
            {
                states[change.Resource] = change.Snapshot.State?.Text;
                await TellAsync();
            }
        }

        async Task TellAsync()
        {
            var state = ServerStates.Judge(states.Values, hasRun);
            if (state == told)
            {
                return;
            }

            told = state;
            foreach (IResource resource in (IResource[])[mongo, .. mongo.Databases])
            {
                if (state == KnownResourceStates.Running && !hasRun)
                {
                    await initialize.Eventing.PublishAsync(
                        new ConnectionStringAvailableEvent(resource, initialize.Services), cancellationToken);
                }

                await initialize.Notifications.PublishUpdateAsync(resource, snapshot => At(snapshot, state));
            }

            hasRun |= state == KnownResourceStates.Running;
        }
    }

    private static CustomResourceSnapshot At(CustomResourceSnapshot snapshot, string state)
    {
        var now = DateTime.UtcNow;
        return snapshot with
        {
            State = state,
            StartTimeStamp = state == KnownResourceStates.Running ? now : snapshot.StartTimeStamp,
            StopTimeStamp = KnownResourceStates.TerminalStates.Contains(state) ? now : null,
        };
    }

    private async Task FollowMembersAsync(CancellationToken cancellationToken)
    {
        IReadOnlyList<MemberStatus> members = [];
        MongoClient? client = null;
        using var timer = new PeriodicTimer(s_pause);
        while (await timer.WaitForNextTickAsync(cancellationToken))
        {
            if (initialize.Notifications.TryGetCurrentState(mongo.Name, out var current)
                && current.Snapshot.State?.Text == KnownResourceStates.Running)
            {
                try
                {
                    client ??= await mongo.ConnectAsync(cancellationToken);
                    using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
                    patience.CancelAfter(s_patience);
                    members = MemberStatus.Of(await client.GetDatabase("admin").RunCommandAsync<BsonDocument>(
                        s_getStatus, ReadPreference.PrimaryPreferred, patience.Token));
                }
                catch (MongoCommandException exception) when (s_refusals.Contains(exception.Code))
                {
                    NotShown(mongo.Name, exception.Message);
                    return;
                }
                catch (Exception exception) when (exception is MongoException or TimeoutException
                    || (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested))
                {
                    // No member answers; the health check says why.
                    members = [.. members.Select(member => member with { State = "unknown", Lag = null })];
                }
            }
            else
            {
                members = [.. members.Select(member => member with { State = "unknown", Lag = null })];
            }

            await ShowAsync(members, cancellationToken);
        }
    }

    private async Task ShowAsync(IReadOnlyList<MemberStatus> members, CancellationToken cancellationToken)
    {
        await ShowAsync(mongo, [
            new(PrimaryProperty, members.FirstOrDefault(member => member.IsPrimary)?.Host ?? "none"),
            .. members.Select(Summary),
        ]);
        foreach (var server in members.Count == 0 ? [] : mongo.Members.GroupBy(endpoint => (IResource)endpoint.Resource))
        {
            var own = new List<MemberStatus>();
            foreach (var endpoint in server)
            {
                // Inside and outside, and so for the members and for this process, the port is the same.
                var port = await endpoint.Property(EndpointProperty.Port).GetValueAsync(cancellationToken);
                own.AddRange(members.Where(member => member.Host.EndsWith($":{port}", StringComparison.Ordinal)));
            }

            await ShowAsync(server.Key, own is [var sole] && server.Count() == 1
                ? [new(RoleProperty, sole.Role), new(StateProperty, sole.State), new(LagProperty, sole.LagText)]
                : [.. own.Select(Summary)]);
        }
    }

    private static ResourcePropertySnapshot Summary(MemberStatus member)
        => new($"member {member.Host}", member.LagText.Length > 0 ? $"{member.State}, {member.LagText} behind" : member.State);

    // What is shown already is not told again. The dashboard shows what is highlighted without being asked for all properties.
    private async Task ShowAsync(IResource resource, IReadOnlyList<ResourcePropertySnapshot> properties)
    {
        if (initialize.Notifications.TryGetCurrentState(resource.Name, out var current)
            && !properties.All(property => current.Snapshot.Properties.Any(
                shown => shown.Name == property.Name && Equals(shown.Value, property.Value))))
        {
            ResourcePropertySnapshot[] highlighted = [.. properties.Select(property => property with { IsHighlighted = true })];
            await initialize.Notifications.PublishUpdateAsync(
                resource, snapshot => snapshot with { Properties = With(snapshot.Properties, highlighted) });
        }
    }

    /// <summary>Properties with others in the place of those of the same names.</summary>
    internal static ImmutableArray<ResourcePropertySnapshot> With(
        ImmutableArray<ResourcePropertySnapshot> properties, IReadOnlyList<ResourcePropertySnapshot> changed)
        => [.. properties.Where(property => changed.All(other => other.Name != property.Name)), .. changed];

    [LoggerMessage(LogLevel.Information, "The members of {ReplicaSet} are not shown: {Reason}")]
    private partial void NotShown(string replicaSet, string reason);
}
