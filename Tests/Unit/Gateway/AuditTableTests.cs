using Microsoft.Extensions.DependencyInjection;
using Platform.Gateway;
using Platform.Gateway.Commands;
using Xunit;

namespace Platform.Tests.Unit.Gateway;

/// <summary>No command that changes users, rights or structure is left out of the audit log.</summary>
public sealed class AuditTableTests
{
    // What changes data is recorded only where it is asked for, as what reads it.
    private static readonly string[] s_data =
        ["aggregate", "insert", "update", "delete", "findAndModify", "bulkWrite", "commitTransaction", "abortTransaction"];

    [Fact]
    public async Task Every_command_that_takes_a_write_concern_and_is_not_about_data_is_audited()
    {
        await using var gateway = GatewayApplication.Build(
            ["--ConnectionStrings:postgres=Host=/nowhere", "--urls=http://127.0.0.1:0", "--Logging:LogLevel:Default=Critical"]);
        var table = gateway.Services.GetRequiredService<CommandTable>();
        var writes = table.All.Where(command => command.Promises.HasFlag(CommandPromises.WriteConcern)).Select(command => command.Name).ToList();
        Assert.Empty(s_data.Except(writes));
        Assert.DoesNotContain(writes.Except(s_data), command => AuditTable.Of(command) is null);
        Assert.DoesNotContain(AuditTable.All, entry => table.Find(entry.Key)?.Audit != entry.Value);
        // Before a login nothing is audited but logging in and out: a stranger could fill the log.
        Assert.All(
            table.All.Where(command => command.Traits.HasFlag(CommandTraits.BeforeLogin) && command.Audit is not null),
            command => Assert.False(command.Audit!.Lasts));
    }
}
