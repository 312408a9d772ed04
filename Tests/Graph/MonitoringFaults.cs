using System.Diagnostics;
using System.Net;
using Aspire.Hosting.Testing;
using MongoDB.Bson;
using MongoDB.Driver;
using Xunit;

namespace Platform.Tests.Graph;

/// <summary>Faults that are made for real in a running stack with the part <c>monitoring</c>: each is told by mail and webhook, and that it is over.</summary>
/// <param name="stack">The stack.</param>
/// <param name="mail">Where mail goes.</param>
/// <param name="webhook">Where webhooks go.</param>
/// <param name="tell">Told how long each took.</param>
internal sealed class MonitoringFaults(TestStack stack, MailSink mail, WebhookSink webhook, Action<string, long> tell)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Redis hangs, and goes on.</summary>
    public async Task RedisHangsAsync()
    {
        var port = ((IPEndPoint)(await stack.App.CacheOptionsAsync(Cancel)).EndPoints.Single()).Port;
        var process = Directory.GetDirectories("/proc").Select(Path.GetFileName).Where(name => int.TryParse(name, out _))
            .Single(id => ProcessTitle(id!).StartsWith($"redis-server 127.0.0.1:{port}", StringComparison.Ordinal));
        await OverAsync("RedisDown", "Redis hangs: told", () => SignalAsync(process!, "STOP"), () => SignalAsync(process!, "CONT"));
    }

    /// <summary>A disk fills up, and there is room again.</summary>
    /// <param name="disk">It, which is one of <c>Monitor:Directories</c>.</param>
    public Task DiskFillsUpAsync(SmallDisk disk) => OverAsync(
        "DiskSpace", "a disk is full: told",
        () =>
        {
            disk.Fill();
            return Task.CompletedTask;
        },
        () =>
        {
            disk.Free();
            return Task.CompletedTask;
        });

    /// <summary>A query without an index is sent again and again: it is told, and its shape is known without its values.</summary>
    public async Task QueriesAreSlowAsync(Func<string, Task<ProgramResult>> queries)
    {
        const string Alert = "MongoSlowOperations";
        using var client = StackClients.Mongo((await stack.App.GetConnectionStringAsync(ResourceNames.Database, Cancel))!);
        var database = client.GetDatabase(ResourceNames.Database);
        var begun = Stopwatch.GetTimestamp();
        await database.RunCommandAsync<BsonDocument>(new BsonDocument { { "profile", 1 }, { "slowms", 0 } }, cancellationToken: Cancel);
        for (var i = 0; i < 60; i++)
        {
            await database.GetCollection<BsonDocument>(CollectionNames.Orders).Find(new BsonDocument("remark", $"a secret {i}")).ToListAsync(Cancel);
        }

        await database.RunCommandAsync<BsonDocument>(new BsonDocument { { "profile", 1 }, { "slowms", 100 } }, cancellationToken: Cancel);
        await UntilToldAsync(Alert, "firing", before: 0);
        tell("queries are slow: told", begun);
        var top = await queries("top --most 200");
        Assert.True(top.ExitCode == 0, top.Errors);
        Assert.Contains("orders: { find: orders, filter: { remark: ? }", top.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", top.Output, StringComparison.Ordinal);
        var lines = top.Output.Split('\n');
        var line = Array.FindIndex(lines, one => one.Contains("remark: ?", StringComparison.Ordinal));
        Assert.Contains("COLLSCAN", lines[line + 1], StringComparison.Ordinal);
        var explained = await queries($"explain {lines[line][..8]}");
        Assert.True(explained.ExitCode == 0, explained.Errors);
        Assert.Contains("no index serves it", explained.Output, StringComparison.Ordinal);
    }

    private async Task OverAsync(string alert, string what, Func<Task> make, Func<Task> mend)
    {
        var (firing, resolved, mails, begun) = (Told(alert, "firing"), Told(alert, "resolved"), mail.Mails.Count, Stopwatch.GetTimestamp());
        await make();
        await UntilToldAsync(alert, "firing", firing);
        tell(what, begun);
        await Wait.UntilAsync(
            () => mail.Mails.Skip(mails).Any(text => text.Contains(alert, StringComparison.Ordinal)), $"a mail tells of {alert}", Cancel);
        await mend();
        await UntilToldAsync(alert, "resolved", resolved);
    }

    private Task UntilToldAsync(string alert, string status, int before) =>
        Wait.UntilAsync(() => Told(alert, status) > before, $"the webhook is told that {alert} is {status}", Cancel);

    private int Told(string alert, string status) => webhook.Alerts.Count(one => one.Name == alert && one.Status == status);

    private static async Task SignalAsync(string process, string signal) =>
        (await ProgramResult.OfAsync(new ProcessStartInfo("kill", [$"-{signal}", process]), Cancel)).Expect(0);

    private static string ProcessTitle(string id)
    {
        try
        {
            return File.ReadAllText($"/proc/{id}/cmdline").Replace('\0', ' ');
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
