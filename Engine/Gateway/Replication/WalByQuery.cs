using System.Globalization;

namespace Platform.Gateway.Replication;

/// <summary>Those of a cluster that is encrypted on the disk, which its PostgreSQL alone sees in plain: that one is asked.</summary>
/// <param name="connection">The connection that is asked on.</param>
internal sealed class WalByQuery(Lazy<ControlConnection> connection) : IWalSegments
{
    /// <inheritdoc />
    public async ValueTask<IReadOnlyList<byte[]>> ReadAsync(string segment, int offset, int length, CancellationToken cancellationToken)
    {
        // A file that was removed meanwhile has nothing.
        var rows = await connection.Value.RowsAsync(
            string.Create(
                CultureInfo.InvariantCulture,
                $"SELECT encode(pg_read_binary_file('pg_wal/' || name, {offset}, {length}, true), 'hex') FROM pg_ls_waldir() "
                    + $"WHERE name LIKE '________{segment}' ORDER BY name DESC"),
            cancellationToken);
        return [.. rows.Where(static row => row[0] is not null).Select(static row => Convert.FromHexString(row[0]!))];
    }
}
