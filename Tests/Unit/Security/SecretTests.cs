using System.Diagnostics;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Platform.AppHost.Mongo;
using Platform.AppHost.Redis;
using Platform.AppHost.Settings;
using Platform.Hosting.Mongo;
using Platform.SecurityTool.Secrets;
using Xunit;

namespace Platform.Tests.Unit.Security;

/// <summary>The secrets that a checkout has generated: what is told of them, and that no value is.</summary>
public sealed class SecretTests : IDisposable
{
    private const string Value = "a-value-that-nobody-may-see";

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("secrets-");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string UserFile => Path.Combine(_directory.FullName, "secrets.json");

    private string Data => Path.Combine(_directory.FullName, "data");

    /// <inheritdoc/>
    public void Dispose() => _directory.Delete(recursive: true);

    [Theory]
    [InlineData("DocumentDb", "Single")]
    [InlineData("DocumentDb", "Cluster")]
    [InlineData("Mongod", "Single")]
    [InlineData("Containers", "Single")]
    public void Every_secret_that_the_graph_generates_is_in_the_catalogue(string engine, string redis)
    {
        var builder = DistributedApplication.CreateBuilder(new DistributedApplicationOptions { DisableDashboard = true });
        var options = new PlatformOptions
        {
            EngineChoice = new(Enum.Parse<Engine>(engine), "asked for by the test"), DataDirectory = Data, ServerImage = "/image",
            RedisMode = Enum.Parse<RedisMode>(redis),
        };
        builder.AddMongoReplicaSet(ResourceNames.Mongo, options);
        builder.AddCache(ResourceNames.Cache, options);

        var generated = builder.Resources.OfType<ParameterResource>().Where(parameter => parameter.Default is not null && parameter.Secret)
            .Select(parameter => parameter.Name).ToList();

        Assert.NotEmpty(generated);
        Assert.Empty(generated.Except(SecretCatalogue.All.Select(secret => secret.Name)));
    }

    [Fact]
    public void The_names_in_the_sources_of_the_graph_are_in_the_catalogue()
    {
        // What parts add, as the sources spell it: "x", or $"{ResourceNames.Y}-x" of a name that the catalogue has.
        var calls = Directory.EnumerateFiles(Path.Combine(Repository.Root, "AppHost"), "*.cs", SearchOption.AllDirectories)
            .SelectMany(File.ReadLines)
            .Select(line => System.Text.RegularExpressions.Regex.Match(line, "AddGeneratedSecret\\(\\$?\"(?:\\{[^}]*\\})?-?(?:\\{[^}]*\\}-)?([a-z-]+)\""))
            .Where(match => match.Success).Select(match => match.Groups[1].Value).ToList();

        Assert.True(calls.Count >= 10, string.Join(' ', calls));
        Assert.All(
            calls,
            name => Assert.Contains(SecretCatalogue.All, secret => secret.Name == name || secret.Name.EndsWith($"-{name}", StringComparison.Ordinal)));
    }

    [Fact]
    public void Each_can_be_rotated_or_says_why_not()
    {
        Assert.All(SecretCatalogue.All, secret => Assert.True(secret.Rotation is null != secret.Obstacle is null, secret.Name));
        Assert.Distinct(SecretCatalogue.All.Select(secret => secret.Name));
    }

    [Theory]
    [InlineData("{ \"Parameters:cursor-key\": \"V\", \"Parameters:mongo-password\": \"V\", \"Parameters:other\": \"V\" }")]
    [InlineData("{ \"Parameters\": { \"cursor-key\": \"V\", \"mongo-password\": \"V\", \"other\": \"V\" } }")]
    public async Task A_list_has_no_value_and_a_file_that_is_open_makes_it_2(string content)
    {
        OwnerOnly.Write(UserFile, content.Replace("V", Value, StringComparison.Ordinal));
        var key = Path.Combine(Data, "secrets", "at-rest.key");
        OwnerOnly.MakeDirectory(Path.GetDirectoryName(key)!);
        OwnerOnly.Write(key, Value);

        foreach (var arguments in (string[][])[["secrets", "list"], ["secrets", "list", "--json"]])
        {
            var result = await RunAsync(arguments);
            Assert.True(result.ExitCode == ExitCodes.Success, result.Errors);
            Assert.DoesNotContain(Value, result.Output + result.Errors, StringComparison.Ordinal);
            Assert.All(
                (string[])["cursor-key", "mongo-password", "other", "at-rest-key", key, UserFile, "600"],
                text => Assert.Contains(text, result.Output, StringComparison.Ordinal));
        }

        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(key, UnixFileMode.UserRead | UnixFileMode.GroupRead);
            var result = await RunAsync("secrets", "list", "--json");
            Assert.Equal(ExitCodes.Refused, result.ExitCode);
            Assert.Equal(
                ["at-rest-key"],
                result.Json.GetProperty("secrets").EnumerateArray().Where(secret => secret.GetProperty("isOpen").GetBoolean())
                    .Select(secret => secret.GetProperty("name").GetString()));
        }
    }

    [Fact]
    public async Task A_rotation_takes_one_secret_away_and_is_in_the_audit_log()
    {
        OwnerOnly.Write(UserFile, $"{{ \"Parameters:cursor-key\": \"{Value}\", \"Parameters:scrape-key\": \"kept\" }}");
        var certificate = Path.Combine(Data, "tls", "cache", "server.pem");
        OwnerOnly.MakeDirectory(Path.GetDirectoryName(certificate)!);
        OwnerOnly.Write(certificate, "key");

        var result = await RunAsync("secrets", "rotate", "cursor-key");
        Assert.True(result.ExitCode == ExitCodes.Success, result.Errors);
        Assert.StartsWith("cursor-key is taken away. The next start makes a new one", result.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("cursor-key", await File.ReadAllTextAsync(UserFile, Cancel), StringComparison.Ordinal);
        Assert.Contains("\"Parameters:scrape-key\": \"kept\"", await File.ReadAllTextAsync(UserFile, Cancel), StringComparison.Ordinal);
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(UserFile));
        }

        Assert.Equal(ExitCodes.Success, (await RunAsync("secrets", "rotate", "tls-cache")).ExitCode);
        Assert.False(File.Exists(certificate));

        var log = string.Concat(
            Directory.EnumerateFiles(Path.Combine(_directory.FullName, "audit"), "*.jsonl", SearchOption.AllDirectories).Select(File.ReadAllText));
        Assert.Contains("secretRotate", log, StringComparison.Ordinal);
        Assert.Contains("cursor-key", log, StringComparison.Ordinal);
        Assert.DoesNotContain(Value, log, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("mongo-password", ExitCodes.Refused, "secrets: mongo-password cannot be rotated. MongoDB's data has its own copy")]
    [InlineData("backup-passphrase", ExitCodes.Refused, "secrets: backup-passphrase cannot be rotated. All backups that there are can be read with it alone")]
    [InlineData("at-rest-key", ExitCodes.Refused, "secrets: at-rest-key cannot be rotated. The data can be read with it alone")]
    [InlineData("master-key", ExitCodes.Refused, "secrets: master-key cannot be rotated. Keys in the database and in backups are encrypted with it")]
    [InlineData("cursor-key", ExitCodes.Refused, "secrets: cursor-key is not there")]
    [InlineData("nothing", ExitCodes.Usage, "secrets: There is no secret 'nothing' that the platform generates")]
    public async Task What_cannot_be_rotated_is_refused_in_a_sentence(string name, int exitCode, string sentence)
    {
        OwnerOnly.Write(UserFile, $"{{ \"Parameters:mongo-password\": \"{Value}\" }}");
        var result = await RunAsync("secrets", "rotate", name);

        Assert.Equal(exitCode, result.ExitCode);
        Assert.StartsWith(sentence, Assert.Single(result.Errors.Trim().Split('\n')), StringComparison.Ordinal);
        Assert.Contains(Value, await File.ReadAllTextAsync(UserFile, Cancel), StringComparison.Ordinal);
    }

    private Task<ProgramResult> RunAsync(params string[] arguments) => ProgramResult.OfAsync(
        new ProcessStartInfo(BuiltProgram.Path("SecurityTool"), arguments)
        {
            Environment =
            {
                ["Secrets__UserFile"] = UserFile, ["Secrets__Data"] = Data, ["Secrets__PassPhraseFile"] = Path.Combine(Data, "secrets", "at-rest.key"),
                ["Secrets__AuditKeys"] = Path.Combine(_directory.FullName, "audit-keys"), ["Secrets__MasterKeys"] = Path.Combine(Data, "encryption"),
                ["Audit__Directory"] = Path.Combine(_directory.FullName, "audit"), ["Audit__KeyDirectory"] = Path.Combine(_directory.FullName, "audit-keys"),
            },
        },
        Cancel);
}
