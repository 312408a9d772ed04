using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Backup.Work;
using Xunit;

namespace Platform.Tests.Gateway.Backup;

/// <summary>
/// The commands of docs/disaster-recovery.md, as they stand there: only the moment and the name of the report are those of the test. Those for the loss of
/// all data are not among them yet.
/// </summary>
public sealed partial class DisasterRecoveryTests
{
    private const string DocumentedMoment = "2026-11-29T20:15:00Z";

    // What the way back of a tenant or a collection may take.
    private static readonly TimeSpan s_most = TimeSpan.FromMinutes(2);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static string Mongosh => Path.Combine(ServerImage.Cache, "node-tools", "node_modules", ".bin", "mongosh");

    [Fact]
    public async Task What_is_lost_comes_back_by_the_commands_of_the_page()
    {
        await using var fixture = await BackupFixture.StartAsync(1);
        using var host = fixture.Host();
        var database = fixture.Set.Client.GetDatabase(ResourceNames.Database);
        await FillAsync(database);
        await host.Services.GetRequiredService<BackupWork>().RunAsync(Token);
        using var checkout = await Checkout.OfAsync(fixture);
        var products = database.GetCollection<BsonDocument>(CollectionNames.Products);
        var was = await StateAsync(database);

        if (File.Exists(Mongosh))
        {
            var moment = DateTimeOffset.UtcNow;
            await products.DeleteOneAsync(new BsonDocument("sku", "TENT-2"), Token);
            await checkout.RunAsync(Script("A lost document", moment));
            Assert.Equal(was, await StateAsync(database));
        }

        var before = DateTimeOffset.UtcNow;
        await products.UpdateManyAsync(new BsonDocument("tenantId", Tenant(1)), BsonDocument.Parse("{ $set: { price: 0 } }"), null, Token);
        await products.DeleteOneAsync(new BsonDocument("sku", "TENT-4"), Token);
        await ApplyAsync("A wrong update of one tenant", before);
        Assert.Equal(was, await StateAsync(database));

        before = DateTimeOffset.UtcNow;
        await database.DropCollectionAsync(CollectionNames.Products, Token);
        await ApplyAsync("A dropped collection", before);
        Assert.Equal(was, await StateAsync(database));

        async Task ApplyAsync(string section, DateTimeOffset moment)
        {
            var clock = Stopwatch.StartNew();
            var commands = Commands(section).ConvertAll(command => command.Replace(DocumentedMoment, Text(moment), StringComparison.Ordinal));
            var report = await checkout.RunAsync(string.Join('\n', commands[..^1]));
            var plan = PlanPattern().Match(report);
            Assert.True(plan.Success, report);
            Assert.EndsWith(" --apply PLAN", commands[^1], StringComparison.Ordinal);
            var done = await checkout.RunAsync(
                string.Join('\n', [.. commands[..^2], commands[^1].Replace("PLAN", plan.Groups[1].Value, StringComparison.Ordinal)]));
            Assert.Contains("Done. The state before was that of ", done, StringComparison.Ordinal);
            Assert.True(clock.Elapsed < s_most, $"{section}: {clock.Elapsed}");
        }
    }

    [Fact]
    public async Task A_member_whose_data_is_gone_comes_back_by_the_commands_of_the_page()
    {
        await using var fixture = await BackupFixture.StartAsync(3);
        await FillAsync(fixture.Set.Client.GetDatabase(ResourceNames.Database));
        using var checkout = await Checkout.OfAsync(fixture);
        var was = await StateAsync(fixture.Set.Client.GetDatabase(ResourceNames.Database));
        Directory.CreateDirectory(Path.Combine(checkout.Root, ".platform", "data"));
        File.CreateSymbolicLink(Path.Combine(checkout.Root, ".platform", "data", "postgres-2"), fixture.Set.DataOf(2));
        foreach (var command in Commands("A lost node"))
        {
            // The stack is that of the test, which stops and starts it.
            switch (command)
            {
                case "./platform stop":
                    await fixture.Set.ResizeAsync(0, Token);
                    break;
                case "./platform run --detach --with backup":
                    await fixture.Set.ResizeAsync(3, Token);
                    break;
                default:
                    Assert.True(Directory.Exists(fixture.Set.DataOf(2)));
                    // What is removed is what the link stands for.
                    await checkout.RunAsync(command.Replace("rm -rf ", "rm -rf $(readlink -f ", StringComparison.Ordinal) + ")");
                    Assert.False(Directory.Exists(fixture.Set.DataOf(2)));
                    break;
            }
        }

        await fixture.Set.UntilWholeAsync(Token);
        Assert.Equal(was, await StateAsync(fixture.Set.Client.GetDatabase(ResourceNames.Database)));
        using var second = new MongoClient(fixture.Set.Members[1].DirectConnectionString);
        var its = second.GetDatabase(ResourceNames.Database).WithReadPreference(ReadPreference.SecondaryPreferred);
        Assert.Equal(400, await its.GetCollection<BsonDocument>(CollectionNames.Orders).CountDocumentsAsync(FilterDefinition<BsonDocument>.Empty, null, Token));
    }

    [Fact]
    public async Task The_pass_phrase_and_the_backups_are_as_the_page_says()
    {
        await using var fixture = await BackupFixture.StartAsync(1);
        using var host = fixture.Host();
        await host.Services.GetRequiredService<BackupWork>().RunAsync(Token);
        using var checkout = await Checkout.OfAsync(fixture);
        Assert.Equal(BackupFixture.PassPhrase, (await checkout.RunAsync(Commands("A lost pass phrase")[0])).Trim());

        var commands = Commands("Deleted or encrypted backups");
        await checkout.RunAsync(commands[0]);
        var elsewhere = Path.Combine(checkout.Root, "elsewhere");
        await checkout.RunAsync($"cp -aL .platform/backup {elsewhere}");
        // What somebody does who means harm.
        var files = Directory.GetFiles(fixture.Repository, "*", SearchOption.AllDirectories);
        Assert.NotEmpty(files);
        foreach (var file in files)
        {
            await File.WriteAllBytesAsync(file, [1, 2, 3], Token);
        }

        var spoiled = await checkout.RunAsync(commands[0], exitCode: null);
        Assert.Contains("backup.info", spoiled, StringComparison.Ordinal);
        var list = await checkout.RunAsync(
            string.Join('\n', commands[1..]).Replace("/mnt/elsewhere/backup", elsewhere, StringComparison.Ordinal));
        Assert.Contains("proven", list, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_lost_site_comes_back_from_the_bucket_by_the_commands_of_the_page()
    {
        await using var s3 = await S3Server.StartAsync(Token);
        await using var fixture = await BackupFixture.StartAsync(1);
        await FillAsync(fixture.Set.Client.GetDatabase(ResourceNames.Database));
        using (var host = fixture.Host())
        {
            await host.Services.GetRequiredService<BackupWork>().RunAsync(Token);
        }

        using var checkout = await Checkout.OfAsync(fixture, s3.Environment());
        await checkout.RunAsync("./platform backup copy");
        await fixture.Set.ResizeAsync(0, Token);
        Directory.Delete(fixture.Set.DataOf(1), recursive: true);
        Directory.Delete(fixture.Directory, recursive: true);
        // There is no database, and where the backups were there is nothing, not even the link to them.
        await File.WriteAllLinesAsync(Path.Combine(checkout.Root, ".platform", "run", "stack"), [$"pid={Environment.ProcessId}", "state=ready"], Token);
        File.Delete(Path.Combine(checkout.Root, ".platform", "backup"));

        var commands = Commands("The site is lost");
        Assert.Equal(5, commands.Count);
        await checkout.RunAsync(commands[0]);
        var restored = await checkout.RunAsync(commands[1]);
        Assert.Matches(@"orders +400\n", restored);
        Assert.Matches(@"products +400\n", restored);
        var list = await checkout.RunAsync(string.Join('\n', commands[2..]));
        Assert.Contains("proven", list, StringComparison.Ordinal);
        Assert.Contains("all are as they were", list, StringComparison.Ordinal);
    }

    [Fact]
    public void The_page_has_a_section_for_each_disaster()
    {
        var page = File.ReadAllText(Page);
        Assert.All(
            (string[])["A lost document", "A wrong update of one tenant", "A dropped collection", "A lost node", "All data is lost", "The site is lost",
                "A lost pass phrase",
                "Deleted or encrypted backups"],
            section => Assert.NotEmpty(Commands(section)));
        // From a lost key there is no way back, so that nothing is to be typed.
        Assert.Empty(Commands("A lost master key"));
        Assert.Equal(9, page.Split("\n## ").Length - 1);
    }

    private static string Page => Path.Combine(Repository.Root, "docs", "disaster-recovery.md");

    private static List<string> Commands(string section)
    {
        var text = File.ReadAllText(Page).Split("\n## ").Single(part => part.StartsWith(section + "\n", StringComparison.Ordinal));
        return [.. text.Split("```console\n").Skip(1).SelectMany(block => block.Split("```")[0].Split('\n'))
            .Where(line => line.StartsWith("$ ", StringComparison.Ordinal)).Select(line => line[2..])];
    }

    private static string Script(string section, DateTimeOffset moment) =>
        string.Join('\n', Commands(section)).Replace(DocumentedMoment, Text(moment), StringComparison.Ordinal);

    private static string Text(DateTimeOffset moment) => moment.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.ffffffZ", CultureInfo.InvariantCulture);

    private static ObjectId Tenant(int number) => new(number.ToString("x24", CultureInfo.InvariantCulture));

    private static async Task MakeAsync(IMongoDatabase database)
    {
        await database.RunCommandAsync<BsonDocument>(
            BsonDocument.Parse("{ create: 'products', validator: { $jsonSchema: { required: ['sku'] } } }"), null, Token);
        await database.RunCommandAsync<BsonDocument>(
            BsonDocument.Parse("{ createIndexes: 'products', indexes: [{ name: 'tenant_sku', key: { tenantId: 1, sku: 1 }, unique: true }] }"), null, Token);
    }

    private static async Task FillAsync(IMongoDatabase database)
    {
        await MakeAsync(database);
        await database.GetCollection<BsonDocument>(CollectionNames.Tenants).InsertManyAsync(
            [new() { ["_id"] = Tenant(1), ["slug"] = "northwind" }, new() { ["_id"] = Tenant(2), ["slug"] = "contoso" }], null, Token);
        foreach (var name in (string[])[CollectionNames.Products, CollectionNames.Orders])
        {
            await database.GetCollection<BsonDocument>(name).InsertManyAsync(
                Enumerable.Range(1, 400).Select(i => new BsonDocument
                {
                    ["tenantId"] = Tenant((i % 2) + 1), ["sku"] = $"TENT-{i}", ["price"] = new BsonDecimal128(i), ["count"] = i, ["ratio"] = 2.0,
                    ["long"] = (long)i, ["at"] = DateTime.UnixEpoch,
                }),
                null,
                Token);
        }
    }

    private static async Task<string> StateAsync(IMongoDatabase database)
    {
        var lines = new List<string>();
        foreach (var name in (string[])[CollectionNames.Tenants, CollectionNames.Products, CollectionNames.Orders])
        {
            var indexes = await (await database.GetCollection<BsonDocument>(name).Indexes.ListAsync(Token)).ToListAsync(Token);
            var documents = await database.GetCollection<BsonDocument>(name).Find(FilterDefinition<BsonDocument>.Empty).ToListAsync(Token);
            lines.AddRange(indexes.Select(index => $"{name} {index.ToJson()}"));
            lines.AddRange(documents.Select(document => $"{name} {document.ToJson()}"));
        }

        lines.Sort(StringComparer.Ordinal);
        return string.Join('\n', lines);
    }

    [GeneratedRegex("--apply ([0-9a-f]{16}) does this")]
    private static partial Regex PlanPattern();

    /// <summary>A directory that looks to <c>./platform</c> like a checkout whose database and backups are those of the fixture.</summary>
    private sealed class Checkout : IDisposable
    {
        private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("platform-recovery-");

        public string Root => _directory.FullName;

        public static async Task<Checkout> OfAsync(BackupFixture fixture, params (string Key, string Value)[] more)
        {
            var checkout = new Checkout();
            var run = Directory.CreateDirectory(Path.Combine(checkout.Root, ".platform", "run"));
            var backups = Path.Combine(checkout.Root, ".platform", "backup");
            File.CreateSymbolicLink(Path.Combine(checkout.Root, "artifacts"), Path.Combine(Repository.Root, "artifacts"));
            File.CreateSymbolicLink(backups, fixture.Directory);
            File.Copy(Path.Combine(Repository.Root, "platform"), Path.Combine(checkout.Root, "platform"));
            if (File.Exists(Path.Combine(Repository.Root, "PackageProfile.local.props")))
            {
                File.Copy(Path.Combine(Repository.Root, "PackageProfile.local.props"), Path.Combine(checkout.Root, "PackageProfile.local.props"));
            }

            await File.WriteAllLinesAsync(
                Path.Combine(run.FullName, "stack"),
                [
                    $"pid={Environment.ProcessId}",
                    "state=ready",
                    $"address.mongo={fixture.Set.ConnectionString.Replace("/?", $"/{ResourceNames.Database}?", StringComparison.Ordinal)}",
                ]);
            await File.WriteAllLinesAsync(
                Path.Combine(run.FullName, "backup"),
                fixture.Settings().Select(setting => $"{setting.Key}={(setting.Key == SettingNames.BackupDirectory ? backups : setting.Value)}")
                    .Concat(more.Select(setting => $"{setting.Key}={setting.Value}")));
            if (File.Exists(Mongosh))
            {
                File.CreateSymbolicLink(Path.Combine(checkout._directory.CreateSubdirectory("tools").FullName, "mongosh"), Mongosh);
            }

            return checkout;
        }

        /// <summary>What the commands print on both outputs; fails when they end otherwise than expected.</summary>
        /// <param name="script">The commands.</param>
        /// <param name="exitCode">How they end; null for anything but well.</param>
        public async Task<string> RunAsync(string script, int? exitCode = ExitCodes.Success)
        {
            var bash = new ProcessStartInfo("bash", ["-eu", "-o", "pipefail", "-c", script])
            {
                WorkingDirectory = Root,
                Environment = { ["PATH"] = $"{Path.Combine(Root, "tools")}:{Environment.GetEnvironmentVariable("PATH")}" },
            };
            var result = await ProgramResult.OfAsync(bash, Token);
            if (exitCode is { } expected)
            {
                result.Expect(expected);
            }
            else
            {
                Assert.NotEqual(ExitCodes.Success, result.ExitCode);
            }

            return result.Output + result.Errors;
        }

        public void Dispose() => _directory.Delete(recursive: true);
    }
}
