using System.Diagnostics;
using System.Text.Json;
using System.Text.RegularExpressions;
using Xunit;
using YamlDotNet.RepresentationModel;

namespace Platform.Tests.Graph;

/// <summary>
/// What <c>aspire publish</c> writes, which is kept in <c>deploy/</c>. <c>PLATFORM_UPDATE_DOCS=1</c> writes it anew.
/// </summary>
public sealed partial class PublishTests : IAsyncLifetime
{
    private static readonly string s_deploy = Path.Combine(Repository.Root, "deploy");
    private static readonly string s_appHost = Path.GetFullPath(Path.Combine(
        AppContext.BaseDirectory, "..", "..", "AppHost", Path.GetFileName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory)), "Platform.AppHost"));

    private readonly DirectoryInfo _output = Directory.CreateTempSubdirectory("publish-");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <inheritdoc/>
    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        _output.Delete(recursive: true);
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task What_is_published_is_what_is_kept_and_the_same_on_every_machine()
    {
        if (Environment.GetEnvironmentVariable("PLATFORM_UPDATE_DOCS") == "1")
        {
            await PublishAsync(s_deploy, new() { ["DOTNET_ENVIRONMENT"] = "Development" });
        }

        // A machine on which Docker answers, and one without anything, in another environment and with other settings.
        var tools = _output.CreateSubdirectory("tools");
        await File.WriteAllTextAsync(Path.Combine(tools.FullName, "docker"), "#!/bin/sh\nexit 0\n", Token);
        await ProgramResult.OfAsync(new ProcessStartInfo("chmod", ["+x", Path.Combine(tools.FullName, "docker")]), Token);
        var one = await PublishAsync(
            Path.Combine(_output.FullName, "one"),
            new() { ["DOTNET_ENVIRONMENT"] = "Development", ["PATH"] = $"{tools.FullName}:{Environment.GetEnvironmentVariable("PATH")}" });
        var other = await PublishAsync(
            Path.Combine(_output.FullName, "other"),
            new()
            {
                ["DOTNET_ENVIRONMENT"] = "Production", ["Platform__Engine"] = "documentdb", ["Platform__ApiPort"] = "12345",
                ["Parameters__mongo-password"] = "s3cr3t-mongo", ["Parameters__cursor-key"] = "s3cr3t-key",
                ["ConnectionStrings__platform"] = "mongodb://s3cr3t",
            });

        Assert.Equal(one, other);
        Assert.Equal(await ReadAsync(s_deploy), one);
        foreach (var text in one.Values)
        {
            Assert.DoesNotContain("s3cr3t", text, StringComparison.Ordinal);
            Assert.DoesNotContain(Repository.Root, text, StringComparison.Ordinal);
            // Of ports there is only the one at which images listen, and of addresses only loopback's.
            Assert.All(Ports().Matches(text).Select(match => match.Value), port => Assert.Equal("8080", port));
            Assert.DoesNotContain("PGSQL", text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void The_manifest_has_the_jobs_and_services_of_the_graph_and_no_server_of_a_developer()
    {
        using var manifest = JsonDocument.Parse(File.ReadAllText(Path.Combine(s_deploy, "aspire-manifest.json")));
        var resources = manifest.RootElement.GetProperty("resources").EnumerateObject()
            .ToDictionary(resource => resource.Name, resource => resource.Value.GetProperty("type").GetString());

        Assert.Equal(["api", "migrator"], resources.Where(resource => resource.Value == "project.v0").Select(resource => resource.Key).Order());
        Assert.All(resources.Values, type => Assert.Contains(type, (string[])["project.v0", "value.v0", "parameter.v0"]));
        Assert.DoesNotContain(ResourceNames.Seeder, resources.Keys);
    }

    [Fact]
    public void The_compose_file_runs_the_migrator_before_the_API_and_lets_them_do_little()
    {
        var services = Services();
        Assert.Equal(["migrator", "api"], services.Keys);
        Assert.Equal(["up", "--wait"], ((YamlSequenceNode)services["migrator"]["command"]).Select(word => word.ToString()));
        Assert.Equal("service_completed_successfully", services["api"]["depends_on"]["migrator"]["condition"].ToString());
        Assert.Equal("on-failure:3", services["migrator"]["restart"].ToString());
        Assert.Contains("/health ", string.Concat((YamlSequenceNode)services["api"]["healthcheck"]["test"]), StringComparison.Ordinal);
        foreach (var service in services.Values)
        {
            Assert.Equal("true", service["read_only"].ToString());
            Assert.Equal("ALL", service["cap_drop"][0].ToString());
            // Nobody starts it half configured: what is needed has no default.
            Assert.All(
                ((YamlMappingNode)service["environment"]).Children.Where(entry => Secret().IsMatch(entry.Key.ToString())),
                entry => Assert.Matches(@"^\$\{[A-Z_]+:\?[^}]+\}$", entry.Value.ToString()));
        }

        // What the specification has: https://github.com/compose-spec/compose-spec/blob/main/spec.md
        string[] known =
        [
            "image", "command", "environment", "depends_on", "ports", "healthcheck", "restart", "read_only", "tmpfs", "cap_drop", "security_opt",
        ];
        Assert.All(services.Values.SelectMany(service => service.Children.Keys), key => Assert.Contains(key.ToString(), known));
    }

    [Fact]
    public async Task Compose_itself_takes_the_file_and_refuses_it_without_its_variables()
    {
        var compose = await ComposeAsync();
        Assert.SkipWhen(compose is null, "Neither 'docker compose' nor 'docker-compose' is installed.");
        var start = new ProcessStartInfo(compose[0], [.. compose[1..], "-f", Path.Combine(s_deploy, "compose.yaml"), "config"]);

        var refused = await ProgramResult.OfAsync(start, Token);
        var text = await File.ReadAllTextAsync(Path.Combine(s_deploy, "compose.yaml"), Token);
        foreach (var name in Variables().Matches(text).Select(match => match.Groups[1].Value))
        {
            start.Environment[name] = $"value-of-{name}$1";
        }

        var taken = await ProgramResult.OfAsync(start, Token);

        Assert.NotEqual(0, refused.ExitCode);
        Assert.Contains("MIGRATOR_IMAGE", refused.Errors, StringComparison.Ordinal);
        Assert.True(taken.ExitCode == 0, taken.Errors);
        Assert.Contains("value-of-MONGO_CONNECTION_STRING", taken.Output, StringComparison.Ordinal);
    }

    private static Dictionary<string, YamlMappingNode> Services()
    {
        var yaml = new YamlStream();
        using var reader = new StreamReader(Path.Combine(s_deploy, "compose.yaml"));
        yaml.Load(reader);
        var services = (YamlMappingNode)Assert.Single(yaml.Documents).RootNode["services"];
        return services.Children.ToDictionary(service => service.Key.ToString(), service => (YamlMappingNode)service.Value);
    }

    private static async Task<string[]?> ComposeAsync()
    {
        foreach (var command in (string[][])[["docker", "compose"], ["docker-compose"]])
        {
            try
            {
                if ((await ProgramResult.OfAsync(new ProcessStartInfo(command[0], [.. command[1..], "version"]), Token)).ExitCode == 0)
                {
                    return command;
                }
            }
            catch (System.ComponentModel.Win32Exception)
            {
                // Not installed.
            }
        }

        return null;
    }

    private static async Task<Dictionary<string, string>> PublishAsync(string directory, Dictionary<string, string> environment)
    {
        var start = new ProcessStartInfo(s_appHost, ["--operation", "publish", "--step", "publish", "--output-path", directory])
        {
            WorkingDirectory = Path.GetTempPath(),
        };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        var (exitCode, output, errors) = await ProgramResult.OfAsync(start, Token);
        Assert.True(exitCode == 0, output + errors);
        return await ReadAsync(directory);
    }

    // The manifest names projects by their way from where it lies.
    private static async Task<Dictionary<string, string>> ReadAsync(string directory) => new()
    {
        ["aspire-manifest.json"] = Ways().Replace(
            await File.ReadAllTextAsync(Path.Combine(directory, "aspire-manifest.json"), Token), "\"path\": \"../Services/"),
        ["compose.yaml"] = await File.ReadAllTextAsync(Path.Combine(directory, "compose.yaml"), Token),
    };

    [GeneratedRegex("\"path\": \"[./A-Za-z0-9_-]*?Services/")]
    private static partial Regex Ways();

    [GeneratedRegex(@"(?<![\w.])\d{4,5}(?![\w.])")]
    private static partial Regex Ports();

    [GeneratedRegex(@"\$\{([A-Z_]+):\?")]
    private static partial Regex Variables();

    [GeneratedRegex("ConnectionStrings__|Key$")]
    private static partial Regex Secret();
}
