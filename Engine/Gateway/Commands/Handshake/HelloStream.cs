using Microsoft.Extensions.Options;
using MongoDB.Bson;
using Platform.Gateway.Clients;
using Platform.Gateway.Requests;
using Platform.Gateway.Settings;
using Platform.Gateway.Topology;
using Platform.Wire.Messages;

namespace Platform.Gateway.Commands.Handshake;

/// <summary>
/// The replies to <c>hello</c>: what the member is, now or after a change
/// (https://github.com/mongodb/specifications/blob/master/source/server-discovery-and-monitoring/server-monitoring.md).
/// </summary>
internal sealed class HelloStream(
    ReplicaSet replicaSet, MemberState state, ReplicaSetStatus status, IOptions<GatewayOptions> options, TimeProvider time)
{
    private const int MaxAwaitMilliseconds = 60_000;

    /// <summary>
    /// The next reply: at once when the client's <c>topologyVersion</c> is not the current one or was not given, else
    /// after a change or <c>maxAwaitTimeMS</c>.
    /// </summary>
    public async ValueTask<ReadOnlyMemory<byte>> AwaitAsync(Client client, Request request, CancellationToken cancellationToken)
    {
        var changed = state.Changed;
        if (Awaited(request) is { } wait && KnowsCurrent(request))
        {
            await WaitAsync(changed, wait, cancellationToken);
            cancellationToken.ThrowIfCancellationRequested();
        }

        return Reply.With(Describe(client, request));
    }

    /// <summary>
    /// A reply of a stream: the first one as <see cref="AwaitAsync"/>, the others after a change or the awaited time, or when the gateway stops.
    /// </summary>
    public async ValueTask<ReadOnlyMemory<byte>> NextAsync(
        Client client, Request request, CancellationToken closed, CancellationToken stopping)
    {
        var last = client.LastTopologyVersion;
        var changed = state.Changed;
        if (last is null ? KnowsCurrent(request) : last == state.Version)
        {
            await WaitAsync(changed, Awaited(request) ?? TimeSpan.FromSeconds(10), stopping);
            closed.ThrowIfCancellationRequested();
        }

        var reply = Describe(client, request);
        client.LastTopologyVersion = reply["topologyVersion"]["counter"].AsInt64;
        return Reply.With(reply);
    }

    /// <summary>The description of the member.</summary>
    public BsonDocument Describe(Client client, Request request)
    {
        var version = state.Version;
        var primary = replicaSet.Primary;
        var reply = new BsonDocument
        {
            { "helloOk", true },
            { request.Name == "hello" ? "isWritablePrimary" : "ismaster", primary == replicaSet.Self },
            { "topologyVersion", new BsonDocument { { "processId", state.ProcessId }, { "counter", version } } },
            { "hosts", new BsonArray(replicaSet.Members.Select(m => m.Host)) },
            { "setName", replicaSet.Name },
            { "setVersion", replicaSet.Version },
            { "secondary", state.IsSecondary },
        };
        if (primary is not null)
        {
            reply.Add("primary", primary.Host);
        }

        reply.Add("me", replicaSet.Self.Host);
        if (primary == replicaSet.Self)
        {
            reply.Add("electionId", ReplicaSetStatus.ElectionId(replicaSet.Term));
        }

        reply.Add("lastWrite", status.LastWrite());
        reply.Add("maxBsonObjectSize", WireLimits.MaxDocumentLength);
        reply.Add("maxMessageSizeBytes", WireLimits.MaxMessageLength);
        reply.Add("maxWriteBatchSize", WireLimits.MaxWriteBatchSize);
        reply.Add("localTime", new BsonDateTime(time.GetUtcNow().UtcDateTime));
        reply.Add("logicalSessionTimeoutMinutes", (int)options.Value.SessionTimeout.TotalMinutes);
        reply.Add("connectionId", (int)client.Id);
        reply.Add("minWireVersion", 0);
        reply.Add("maxWireVersion", ServerVersion.MaxWireVersion);
        reply.Add("readOnly", false);
        return reply;
    }

    private async ValueTask WaitAsync(Task changed, TimeSpan wait, CancellationToken cancellationToken)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await Task.WhenAny(changed, Task.Delay(wait, time, ended.Token));
        await ended.CancelAsync();
    }

    private static TimeSpan? Awaited(Request request) =>
        request.TryGet("maxAwaitTimeMS"u8, out var wait) && wait.Integer is >= 0 and var milliseconds
            ? TimeSpan.FromMilliseconds(Math.Min(milliseconds, MaxAwaitMilliseconds))
            : null;

    private bool KnowsCurrent(Request request) =>
        request.TryGet("topologyVersion"u8, out var known) && known.Type == BsonType.Document
        && known.Document.TryGet("processId"u8, out var process) && process.Type == BsonType.ObjectId
        && process.Value.Span.SequenceEqual(state.ProcessId.ToByteArray())
        && known.Document.TryGet("counter"u8, out var counter) && counter.Integer == state.Version;
}
