using System.Globalization;
using Microsoft.Extensions.Options;
using Platform.Gateway.Backend;
using Platform.Gateway.Errors;
using Platform.Gateway.Postgres;
using Platform.Gateway.Settings;
using Platform.Gateway.Sockets;
using Platform.Gateway.Topology;

namespace Platform.Gateway.ChangeStreams;

/// <summary>What a stream needs to have written, which only the PostgreSQL of the primary can: streams are opened on secondaries, too.</summary>
internal sealed class PrimaryBackend(BackendPool pool, ReplicaSet replicaSet, MemberState state, IOptions<GatewayOptions> options)
{
    /// <summary>
    /// Does work on the primary, with the gateway's own rights. Throws <see cref="CommandException"/> when there is no primary, and what a lost
    /// connection throws.
    /// </summary>
    public async ValueTask RunAsync(Func<BackendConnection, ValueTask> work, CancellationToken cancellationToken)
    {
        if (state.IsPrimary || replicaSet.Members.Count == 1)
        {
            await using var lease = await pool.RentAsync(cancellationToken);
            await work(lease.Connection);
            return;
        }

        var primary = replicaSet.Primary is { } known && known != replicaSet.Self
            ? known
            : throw new CommandException(
                ErrorCode.PrimarySteppedDown, "A change stream cannot be opened while the replica set has no primary.", ErrorLabels.ResumableChangeStream);
        var settings = PostgresSettings.Parse(string.Create(
            CultureInfo.InvariantCulture,
            $"Host={options.Value.SocketDirectory};Port={GatewayOptions.PostgresPort(primary.Number)};Username=postgres;Database=postgres"));
        await using var connection = new BackendConnection(await PostgresConnection.OpenAsync(settings, BusyWait.None, cancellationToken), state.Generation);
        connection.Use(CommitWait.Journal);
        await work(connection);
    }
}
