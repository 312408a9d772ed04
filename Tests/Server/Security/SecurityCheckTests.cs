using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Logging;
using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Audit;
using Platform.SecurityTool;
using Platform.SecurityTool.Checks;
using Platform.SecurityTool.Stack;
using Platform.Tests.TestKit.Mongod;
using StackExchange.Redis;
using Xunit;

namespace Platform.Tests.Server.Security;

/// <summary>Each check of <c>./platform security check</c> on something on which it fails.</summary>
public sealed class SecurityCheckTests(MongoServer mongo) : IAsyncLifetime
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("security-");
    private RedisProcess _redis = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <inheritdoc/>
    public async ValueTask InitializeAsync()
    {
        mongo.Require(MongoFeature.Users);
        _redis = await RedisProcess.StartAsync(Cancel);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_redis is not null)
        {
            await _redis.DisposeAsync();
        }

        _directory.Delete(recursive: true);
    }

    [Fact]
    public async Task Servers_without_TLS_are_found_and_what_else_they_do_well_passes()
    {
        mongo.Require(MongoFeature.SoleUse);
        var stack = Stack();
        await AssertFailsAsync("mongodb-tls", stack, "127.0.0.1:* answers a client that does not use TLS.");
        await AssertFailsAsync("redis-tls", stack, "127.0.0.1:* answers a client that does not use TLS.");
        foreach (var check in (string[])["mongodb-authentication", "mongodb-mechanisms", "mongodb-server-scripts", "redis-authentication", "redis-passwords",
            "redis-least-privilege"])
        {
            var (verdict, evidence) = await RunAsync(check, stack);
            Assert.True(verdict == CheckVerdict.Passed, $"{check}: {verdict}, {string.Join(' ', evidence)}");
        }
    }

    [Fact]
    public async Task A_server_that_answers_everybody_is_found()
    {
        // Any answer is one; the check asks as a client without a login.
        await using var open = new OpenMongod();
        var stack = Stack("address.mongo", $"mongodb://admin:a-long-password@127.0.0.1:{open.Port}/platform?directConnection=true");
        await AssertFailsAsync("mongodb-authentication", stack, $"127.0.0.1:{open.Port} answers listDatabases to a client without a login.");
    }

    [Fact]
    public async Task A_user_who_may_do_everything_is_found()
    {
        var admin = mongo.Client.GetDatabase("admin");
        var name = "wide" + Guid.NewGuid().ToString("N");
        await admin.RunCommandAsync<BsonDocument>(
            new BsonDocument { { "createUser", name }, { "pwd", Guid.NewGuid().ToString("N") }, { "roles", new BsonArray { "readWriteAnyDatabase" } } },
            cancellationToken: Cancel);
        try
        {
            await AssertFailsAsync("mongodb-least-privilege", Stack(), $"{name}@admin has the role readWriteAnyDatabase.");
        }
        finally
        {
            await admin.RunCommandAsync<BsonDocument>(new BsonDocument("dropUser", name), cancellationToken: CancellationToken.None);
        }
    }

    [Fact]
    public async Task An_audit_log_that_was_changed_or_is_missing_is_found()
    {
        using var log = new AuditDirectories();
        await AssertFailsAsync("mongodb-audit", Stack(), "The stack writes no audit log.");
        await AssertFailsAsync("mongodb-audit", Stack(audit: log.Settings), "Nobody has written a line yet.");
        var writer = Path.Combine(log.Settings.Directory!, "mongo-1");
        Directory.CreateDirectory(writer);
        await File.WriteAllTextAsync(Path.Combine(writer, "audit-000000000001.jsonl"), "{\"atype\":\"dropUser\"}\n", Cancel);
        await AssertFailsAsync("mongodb-audit", Stack(audit: log.Settings), "mongo-1: *");
    }

    [Fact]
    public async Task Data_that_is_plain_on_the_disk_is_found()
    {
        Assert.Equal(CheckVerdict.NotApplicable, (await RunAsync("mongodb-at-rest", Stack())).Verdict);

        // Of the engine documentdb, what members have on the disk counts, and not what was asked for.
        var stack = Stack("at-rest", "encrypted");
        var data = _directory.CreateSubdirectory("data");
        await AssertFailsAsync("mongodb-at-rest", stack, $"{data.FullName} has no data of a member.");
        var member = data.CreateSubdirectory("postgres");
        await File.WriteAllTextAsync(Path.Combine(member.FullName, "lock"), "", Cancel);
        await AssertFailsAsync("mongodb-at-rest", stack, $"{member.FullName} has no encrypted cluster.");
        member.CreateSubdirectory("encrypted");
        await File.WriteAllTextAsync(Path.Combine(member.FullName, "encrypted", "gocryptfs.conf"), "{}", Cancel);
        Assert.Equal(CheckVerdict.Passed, (await RunAsync("mongodb-at-rest", stack)).Verdict);
        member.CreateSubdirectory("cluster");
        await AssertFailsAsync("mongodb-at-rest", stack, $"{member.FullName} has a cluster that is not encrypted.");
    }

    [Theory]
    [InlineData("", false)]
    [InlineData("parsed: { net: { port: 27017 } }", false)]
    [InlineData("parsed: { security: { authorization: 'enabled' } }", false)]
    [InlineData("parsed: { security: { enableEncryption: false } }", false)]
    [InlineData("parsed: { security: { enableEncryption: true, encryptionKeyFile: '/key' } }", true)]
    public async Task A_server_that_does_not_say_that_it_encrypts_is_found(string options, bool isEncrypted)
    {
        await using var server = new OpenMongod(BsonDocument.Parse($"{{ {options} }}"));
        var stack = Stack(
            "address.mongo", $"mongodb://127.0.0.1:{server.Port}/platform?directConnection=true", engine: "external (asked for by Platform:Engine)");

        var outcome = await RunAsync("mongodb-at-rest", stack);

        Assert.Equal(isEncrypted ? CheckVerdict.Passed : CheckVerdict.Failed, outcome.Verdict);
        Assert.Equal(
            isEncrypted ? "1 server, each with security.enableEncryption" : $"127.0.0.1:{server.Port} does not say that it encrypts what it stores.",
            Assert.Single(outcome.Evidence));
    }

    [Fact]
    public async Task Atlas_encrypts_its_disks()
    {
        var stack = Stack("address.mongo", "mongodb://a.example.mongodb.net:27017,b.example.mongodb.net:27017/platform", engine: "external (asked for)");
        Assert.Equal(CheckVerdict.Passed, (await RunAsync("mongodb-at-rest", stack)).Verdict);
    }

    [Fact]
    public async Task Users_of_Redis_that_need_no_password_or_may_too_much_are_found()
    {
        await using (var connection = await ConnectionMultiplexer.ConnectAsync(_redis.ConnectionString + ",allowAdmin=true"))
        {
            var server = connection.GetServers().Single();
            await server.ExecuteAsync("ACL", "SETUSER", "wide", "on", ">a-long-password", "~*", "+@all");
            await AssertFailsAsync("redis-least-privilege", Stack(), "127.0.0.1:*: wide may run FLUSHALL.");
            await AssertFailsAsync("redis-least-privilege", Stack(), "127.0.0.1:*: wide may run GET another:key.");
            await server.ExecuteAsync("ACL", "SETUSER", "open", "on", "nopass");
            await AssertFailsAsync("redis-passwords", Stack(), "127.0.0.1:*: open needs no password.");
            await server.ExecuteAsync("ACL", "SETUSER", "default", "nopass");
            await AssertFailsAsync("redis-authentication", Stack(), "127.0.0.1:* answers a client without a login.");
        }
    }

    [Fact]
    public async Task A_port_that_is_open_to_the_network_is_found()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Ports of processes are known on Linux.");
        using var listener = new TcpListener(IPAddress.Any, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        var stack = Stack("pid", Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
        await AssertFailsAsync("loopback", stack, $"* ({Environment.ProcessId}) listens on 0.0.0.0:{port}.");
    }

    [Fact]
    public async Task Files_that_others_can_read_are_found()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("There are no modes.");
            return;
        }

        var stack = Stack();
        Assert.Equal(CheckVerdict.Passed, (await RunAsync("file-modes", stack)).Verdict);

        // A key has to be closed by itself, also where nobody enters the directory.
        var tls = _directory.CreateSubdirectory("data").CreateSubdirectory("tls");
        var key = Path.Combine(tls.FullName, "server.pem");
        await File.WriteAllTextAsync(key, "-----BEGIN PRIVATE KEY-----\n", Cancel);
        File.SetUnixFileMode(key, UnixFileMode.UserRead | UnixFileMode.OtherRead);
        await AssertFailsAsync("file-modes", stack, $"{key} can be read or changed by others: its mode is 404.");
        File.SetUnixFileMode(key, UnixFileMode.UserRead);
        Assert.Equal(CheckVerdict.Passed, (await RunAsync("file-modes", stack)).Verdict);

        // Anything else, where others enter.
        var open = Path.Combine(_directory.FullName, "data", "collection.wt");
        await File.WriteAllTextAsync(open, "data", Cancel);
        File.SetUnixFileMode(open, UnixFileMode.UserRead | UnixFileMode.GroupRead);
        File.SetUnixFileMode(
            Path.GetDirectoryName(open)!, UnixFileMode.UserRead | UnixFileMode.UserExecute | UnixFileMode.UserWrite | UnixFileMode.OtherExecute);
        await AssertFailsAsync("file-modes", stack, $"{open} can be read or changed by others: its mode is 440.");
    }

    [Fact]
    public async Task A_password_among_arguments_or_in_a_log_is_found()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The arguments of processes are looked at on Linux.");
        var stack = Stack();
        Assert.Equal(CheckVerdict.Passed, (await RunAsync("process-arguments", stack)).Verdict);
        using (var process = Process.Start(new ProcessStartInfo("sh", ["-c", "read line", _redis.Password]) { RedirectStandardInput = true })!)
        {
            await AssertFailsAsync("process-arguments", stack, $"sh ({process.Id}) has a password of the stack among its arguments.");
            process.StandardInput.Close();
            await process.WaitForExitAsync(Cancel);
        }

        var log = Path.Combine(_directory.FullName, "apphost.log");
        await File.WriteAllTextAsync(log, "nothing\n", Cancel);
        Assert.Equal(CheckVerdict.Passed, (await RunAsync("logs", stack)).Verdict);
        await File.AppendAllTextAsync(log, $"connecting to redis://default:{_redis.Password}@127.0.0.1\n", Cancel);
        await AssertFailsAsync("logs", stack, $"{log}, line 2, has a password of the stack.");
    }

    [Fact]
    public async Task An_API_that_says_too_much_or_answers_for_every_host_is_found()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        await using var api = builder.Build();
        api.MapGet("/tenants", () => "everybody's");
        await api.StartAsync(Cancel);
        var stack = Stack("address.api", api.Urls.Single());
        await AssertFailsAsync("api-headers", stack, "/tenants is answered with Server.");
        await AssertFailsAsync("api-headers", stack, "/tenants is answered without X-Content-Type-Options.");
        await AssertFailsAsync("api-hosts", stack, "A request for rebound.example is answered.");
        Assert.Equal(CheckVerdict.NotApplicable, (await RunAsync("api-callers", stack)).Verdict);
        Assert.Equal(CheckVerdict.NotApplicable, (await RunAsync("api-headers", Stack())).Verdict);
    }

    [Fact]
    public async Task What_does_not_answer_is_not_known_and_keeps_no_other_check_from_its_work()
    {
        var stack = Stack("address.mongo", $"mongodb://admin:a-long-password@127.0.0.1:{FreePort.Find()}/platform");
        var report = await SecurityCommands.RunAsync(
            CheckCatalogue.All.Where(check => check.Id is "mongodb-tls" or "mongodb-mechanisms" or "redis-authentication"), stack, Cancel);
        Assert.Equal([CheckVerdict.Unknown, CheckVerdict.Unknown, CheckVerdict.Passed], report.Checks.Select(check => check.Verdict));
        Assert.False(report.IsGood);
    }

    private RunningStack Stack(string? key = null, string? value = null, AuditSettings? audit = null, string? engine = null)
    {
        var values = new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            ["state"] = "ready", ["engine"] = engine ?? "documentdb (chosen by the test)", ["data"] = Path.Combine(_directory.FullName, "data"),
            ["address.mongo"] = mongo.ConnectionString, ["address.redis"] = $"redis://default:{_redis.Password}@127.0.0.1:{_redis.Port}",
        };
        if (key is not null)
        {
            values[key] = value;
        }

        var file = Path.Combine(_directory.FullName, "stack");
        File.WriteAllLines(file, values.Select(line => $"{line.Key}={line.Value}"));
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }

        return RunningStack.Read(file, audit ?? new AuditSettings());
    }

    private static async Task<CheckOutcome> RunAsync(string id, RunningStack stack) =>
        await CheckCatalogue.All.Single(check => check.Id == id).RunAsync(stack, Cancel);

    private static async Task AssertFailsAsync(string id, RunningStack stack, string evidence)
    {
        var outcome = await RunAsync(id, stack);
        Assert.Equal(CheckVerdict.Failed, outcome.Verdict);
        var parts = evidence.Split('*');
        Assert.Contains(outcome.Evidence, line => line.StartsWith(parts[0], StringComparison.Ordinal) && line.EndsWith(parts[^1], StringComparison.Ordinal));
    }
}
