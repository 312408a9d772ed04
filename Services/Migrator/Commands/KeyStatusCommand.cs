using System.CommandLine;
using MongoDB.Driver;
using Platform.Data.Encryption;
using Platform.Migrator.Keys;

namespace Platform.Migrator.Commands;

/// <summary><c>migrator keys status</c>: the tenants' keys, and what is encrypted.</summary>
internal sealed class KeyStatusCommand(IMongoDatabase database, ConfiguredEncryption configured)
{
    public static Command Create() => MigratorJob.Report<KeyStatusCommand, KeyStatusReport>(
        new Command("status", "Show the tenants' keys, the master key that each is encrypted with, and how many documents are encrypted and plain."),
        (status, _, token) => status.RunAsync(token),
        KeyText.Print,
        usesMasterKey: true);

    private async Task<KeyStatusReport> RunAsync(CancellationToken cancellationToken)
    {
        var keys = new DatabaseKeys(database);
        return new KeyStatusReport(
            configured.Master?.Provider, await keys.ReadAsync(cancellationToken), await keys.CountAsync(tenant: null, cancellationToken));
    }
}
