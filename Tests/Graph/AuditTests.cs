using System.Diagnostics;
using System.Text.Json;
using Aspire.Hosting.Testing;
using MongoDB.Bson;
using MongoDB.Driver;
using Xunit;

namespace Platform.Tests.Graph;

/// <summary>What is done to the running stack is in its audit log, and nobody changes that unseen.</summary>
public sealed class AuditTests(StackFixture stack)
{
    private const string Secret = "a pass word 5f3759df";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private string Log => Path.Combine(stack.DataDirectory, "audit");

    private string Keys => Path.Combine(stack.DataDirectory, "audit-keys");

    [Fact]
    public async Task Audit_captures_what_is_done_on_every_member_and_by_commands_and_a_changed_line_is_found()
    {
        var (user, database) = ("audit" + Guid.NewGuid().ToString("N"), "audit" + Guid.NewGuid().ToString("N"));
        var connectionString = (await stack.App.GetConnectionStringAsync(ResourceNames.Database, Token))!;
        using var root = StackClients.Mongo(connectionString);
        var admin = root.GetDatabase("admin");
        await RunAsync(admin, $"{{ createRole: '{user}', privileges: [], roles: [] }}");
        await RunAsync(admin, $"{{ createUser: '{user}', pwd: '{Secret}', roles: ['{user}'] }}");
        await RunAsync(admin, $"{{ grantRolesToUser: '{user}', roles: ['clusterMonitor'] }}");
        await RunAsync(root.GetDatabase(database), "{ create: 'c' }");
        await RunAsync(root.GetDatabase(database), "{ createIndexes: 'c', indexes: [{ key: { a: 1 }, name: 'a1' }] }");
        using (var client = StackClients.MongoAs(connectionString, user, Secret))
        {
            var refused = await Assert.ThrowsAsync<MongoCommandException>(() => RunAsync(client.GetDatabase(database), "{ drop: 'c' }"));
            Assert.Equal(13, refused.Code);
        }

        using (var client = StackClients.MongoAs(connectionString, user, "wrong"))
        {
            await Assert.ThrowsAnyAsync<Exception>(() => RunAsync(client.GetDatabase("admin"), "{ connectionStatus: 1 }"));
        }

        await RunAsync(root.GetDatabase(database), "{ dropDatabase: 1 }");
        await RunAsync(admin, $"{{ dropUser: '{user}' }}");
        await RunAsync(admin, $"{{ dropRole: '{user}' }}");

        // Each of these is in the log of the member that it was done on, with who did it; the job that made the users, too.
        var found = (await AuditAsync("find", "--json", "--since", "10m")).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => JsonDocument.Parse(line).RootElement).ToList();
        foreach (var (type, result, of) in ((string, int, string)[])
        [
            ("createRole", 0, user), ("createUser", 0, user), ("grantRolesToUser", 0, user), ("createCollection", 0, database), ("createIndex", 0, database),
            ("authenticate", 0, user), ("authenticate", 18, user), ("authCheck", 13, database), ("dropDatabase", 0, database), ("dropUser", 0, user),
            ("dropRole", 0, user),
        ])
        {
            Assert.Contains(found, record => record.GetProperty("atype").GetString() == type && record.GetProperty("result").GetInt32() == result
                && record.GetProperty("param").GetRawText().Contains(of, StringComparison.Ordinal));
        }

        Assert.Equal(
            ["started", "ended"],
            (await AuditAsync("find", "--json", "--member", "commands", "--type", "accessApply")).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
                .Take(2).Select(line => JsonDocument.Parse(line).RootElement.GetProperty("param").GetProperty("state").GetString()));
        var refusal = Assert.Single((await AuditAsync("find", "--failed", "--type", "authCheck", "--user", user)).Output.TrimEnd().Split('\n'));
        Assert.Matches($"authCheck +{user}@admin +127\\.0\\.0\\.1:[0-9]+ +unauthorized +command=drop ns={database}\\.c$", refusal);
        Assert.Contains(user, (await AuditAsync("tail", "--no-follow", "--lines", "50", "--user", user)).Output, StringComparison.Ordinal);

        // As written, while it is written.
        var verified = JsonDocument.Parse((await AuditAsync("verify", "--json")).Output).RootElement;
        Assert.True(verified.GetProperty("good").GetBoolean());
        Assert.Equal(
            ["commands", "mongo-1", "mongo-2", "mongo-3"], verified.GetProperty("logs").EnumerateArray().Select(log => log.GetProperty("writer").GetString()));
        Assert.All(
            Directory.GetFiles(Log, "*.jsonl", SearchOption.AllDirectories),
            file => Assert.DoesNotContain(Secret, File.ReadAllText(file), StringComparison.Ordinal));

        // One line changed, in a copy.
        var copy = Directory.CreateTempSubdirectory("audit-copy-");
        try
        {
            foreach (var directory in Directory.GetDirectories(Log))
            {
                Directory.CreateDirectory(Path.Combine(copy.FullName, Path.GetFileName(directory)));
                foreach (var file in Directory.GetFiles(directory, "*.jsonl"))
                {
                    File.Copy(file, Path.Combine(copy.FullName, Path.GetFileName(directory), Path.GetFileName(file)));
                }
            }

            var (changed, lines) = Directory.GetFiles(copy.FullName, "*.jsonl", SearchOption.AllDirectories)
                .Select(file => (file, File.ReadAllLines(file))).First(file => file.Item2.Any(line => line.Contains($"\"{user}\"", StringComparison.Ordinal)));
            var number = Array.FindIndex(
                lines, line => line.Contains("\"createUser\"", StringComparison.Ordinal) && line.Contains(user, StringComparison.Ordinal));
            lines[number] = lines[number].Replace(user, "somebody else", StringComparison.Ordinal);
            await File.WriteAllTextAsync(changed, string.Concat(lines.Select(line => line + "\n")), Token);
            var result = await AuditAsync("verify", "--directory", copy.FullName, "--keys", Keys);
            Assert.Equal(ExitCodes.Refused, result.ExitCode);
            var place = $"{Path.GetFileName(Path.GetDirectoryName(changed))}/{Path.GetFileName(changed)}:{number + 1} was changed, or not written by this log.";
            Assert.Contains(place, result.Output, StringComparison.Ordinal);
        }
        finally
        {
            copy.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task A_command_of_the_platform_is_recorded_with_how_it_ended_and_is_not_begun_when_that_cannot_be()
    {
        using var audit = new AuditDirectories();
        var failed = await FlushAsync();
        Assert.Equal(ExitCodes.Unavailable, failed.ExitCode);
        var records = audit.Records("commands");
        Assert.Equal([("cacheFlush", 0), ("cacheFlush", ExitCodes.Unavailable)], records.Select(record => (record.Type, record.Result)));
        Assert.All(records, record => Assert.Equal((Environment.UserName, "$os"), Assert.Single(record.Users)));
        Assert.Equal("cache flush", records[0].Param.GetProperty("command").GetString());

        File.Delete(Directory.GetFiles(audit.Settings.KeyDirectory!, "*.key").Single());
        var refused = await FlushAsync();
        Assert.Equal(ExitCodes.CannotCreate, refused.ExitCode);
        Assert.StartsWith("cache flush: The key", refused.Sentence, StringComparison.Ordinal);

        Task<ProgramResult> FlushAsync() => ProgramResult.OfAsync(
            new ProcessStartInfo(BuiltProgram.Path("CacheTool"), ["flush"])
            {
                Environment =
                {
                    ["ConnectionStrings__cache"] = "127.0.0.1:1", ["Audit__Directory"] = audit.Settings.Directory,
                    ["Audit__KeyDirectory"] = audit.Settings.KeyDirectory,
                },
            },
            Token);
    }

    private static Task<BsonDocument> RunAsync(IMongoDatabase database, string command) =>
        database.RunCommandAsync<BsonDocument>(BsonDocument.Parse(command), ReadPreference.Primary, Token);

    private Task<ProgramResult> AuditAsync(params string[] arguments) => ProgramResult.OfAsync(
        new ProcessStartInfo(BuiltProgram.Path("AuditTool"), arguments)
        {
            Environment = { ["Audit__Directory"] = Log, ["Audit__KeyDirectory"] = Keys },
        },
        Token);
}
